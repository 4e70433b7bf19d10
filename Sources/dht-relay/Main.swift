import ArgumentParser
import Foundation

/// Runs the command. A mistake on the command line gets one line on standard error and exit status 2; help and version go
/// to standard output with status 0.
@main
enum Main {
    static func main() async {
        do {
            var command = try DHTRelayCommand.parseAsRoot()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch {
            exit(for: error)
        }
    }

    private static func exit(for error: any Error) -> Never {
        guard DHTRelayCommand.exitCode(for: error) == .validationFailure else {
            DHTRelayCommand.exit(withError: error)
        }
        let line = DHTRelayCommand.message(for: error).split(separator: "\n").first ?? "wrong usage"
        FileHandle.standardError.write(Data("dht-relay: \(line) (see dht-relay --help)\n".utf8))
        Foundation.exit(2)
    }
}
