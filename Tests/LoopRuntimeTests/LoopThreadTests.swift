import CLibuv
import LoopRuntime
import Testing

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

@Suite("Loop thread") struct LoopThreadTests {
    @Test("Jobs that wait when a loop is stopped still run") func waitingJobs() async {
        let thread = LoopThread()
        let count = Shared(0)
        for _ in 0..<100 {
            thread.executor.execute { count.change { $0 += 1 } }
        }
        await thread.stop()
        #expect(count.value == 100)
    }

    @Test("Stopping waits for handles that are closing, and for what their end starts") func closingHandles() async {
        let thread = LoopThread()
        let hasClosed = Shared(false)
        let afterwards = Shared(false)
        await thread.executor.run { actor in
            // Released by the close callback.
            let notice = Unmanaged.passRetained(
                Notice { [loop = actor.loop] in
                    hasClosed.value = true
                    loop.execute { afterwards.value = true }
                })
            let timer = UnsafeMutablePointer<uv_timer_t>.allocate(capacity: 1)
            uv_timer_init(actor.loop.uvLoop, timer)
            timer.pointee.data = notice.toOpaque()
            timer.withMemoryRebound(to: uv_handle_t.self, capacity: 1) { handle in
                uv_close(handle) { handle in
                    guard let handle, let data = handle.pointee.data else { return }
                    Unmanaged<Notice>.fromOpaque(data).takeRetainedValue().action()
                    handle.deallocate()
                }
            }
        }
        await thread.stop()
        #expect(hasClosed.value)
        #expect(afterwards.value)
    }

    @Test("An error of the code on a loop comes through, and the loop ends") func errors() async {
        await #expect(throws: CancellationError.self) {
            try await withLoopThread { _ in throw CancellationError() }
        }
    }

    @Test("A stopped loop leaves nothing behind") func descriptors() async {
        await withLoopThread { _ in }
        let lowestFree = dup(0)
        close(lowestFree)
        for _ in 0..<50 { await withLoopThread { _ in } }
        let lowestFreeAfterwards = dup(0)
        close(lowestFreeAfterwards)
        #expect(lowestFreeAfterwards < lowestFree + 50)
    }

    #if compiler(>=6.2)
        @Test("Stopping a loop with an open handle stops the program") func openHandle() async {
            await #expect(processExitsWith: .failure) {
                let thread = LoopThread()
                await thread.executor.run { actor in
                    let timer = UnsafeMutablePointer<uv_timer_t>.allocate(capacity: 1)
                    uv_timer_init(actor.loop.uvLoop, timer)
                }
                await thread.stop()
            }
        }

        @Test("Sending work to a stopped loop stops the program") func workAfterStop() async {
            await #expect(processExitsWith: .failure) {
                let thread = LoopThread()
                await thread.stop()
                thread.executor.execute {}
            }
        }

        @Test("Touching a loop-bound value from another thread stops the program") func boundValue() async {
            await #expect(processExitsWith: .failure) {
                let thread = LoopThread()
                let box = await thread.executor.run { LoopBound(1, to: $0.loop) }
                print(box.value)
            }
        }
    #endif

    @Test("A loop-bound value reads and changes on its loop") func boundValueOnLoop() async {
        let thread = LoopThread()
        let box = await thread.executor.run { LoopBound([1], to: $0.loop) }
        let value = await thread.executor.run { _ in
            var box = box
            box.value.append(2)
            return box.value
        }
        #expect(value == [1, 2])
        await thread.stop()
    }
}

private final class Notice {
    let action: () -> Void

    init(action: @escaping () -> Void) {
        self.action = action
    }
}
