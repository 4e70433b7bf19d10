import LoopRuntime

/// Measures what the Swift layers cost. Compare figures of one run only: the machine may be busy.
///
///     swift run -c release swift-bench [loop | transport]
///     swift run -c release swift-bench serve PORT [CERTIFICATE KEY]
@main
enum Bench {
    static func main() async throws {
        let arguments = Array(CommandLine.arguments.dropFirst())
        switch arguments.first {
        case "serve": try await EchoServer.serve(Array(arguments.dropFirst()))
        case "loop": await LoopBench.run()
        case "transport": try await TransportBench.run()
        default:
            await LoopBench.run()
            try await TransportBench.run()
        }
    }
}
