import LoopRuntime

/// Measures what the Swift layers cost. Compare figures of one run only: the machine may be busy.
///
///     swift run -c release swift-bench [group …]
@main
enum Bench {
    static func main() async {
        let groups = Set(CommandLine.arguments.dropFirst())
        func isWanted(_ group: String) -> Bool {
            groups.isEmpty || groups.contains(group)
        }
        if isWanted("loop") { await LoopBench.run() }
    }
}
