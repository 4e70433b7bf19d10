import ArgumentParser
import HyperDHT

/// The program people run. There is no relay in it yet.
struct DHTRelayCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dht-relay",
        abstract: "The relay of the Hyperswarm DHT.",
        discussion: "The relay itself is still being built. What works today:",
        version: LibraryVersion.text,
        subcommands: [ShowKey.self]
    )
}

/// `dht-relay key KEY`
struct ShowKey: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "key",
        abstract: "Show a public key in each of its forms, and the topic its peer is announced under.")

    @Argument(help: "64 hexadecimal digits or 52 characters of z-base-32.", transform: parseKey)
    var key: PublicKey

    func run() throws {
        print("hexadecimal  \(key.hex)")
        print("z-base-32    \(key.zBase32)")
        print("topic        \(try PublicKey(key.topic).hex)")
    }
}

/// Tells the user what a key looks like instead of which function threw.
private func parseKey(_ text: String) throws -> PublicKey {
    do throws(DHTError) {
        return try PublicKey(text)
    } catch {
        throw ValidationError(error.message)
    }
}
