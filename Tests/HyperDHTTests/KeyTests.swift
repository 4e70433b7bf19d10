import Foundation
import HyperDHT
import Testing

/// The key pair of the seed 01 × 32, recorded from the JavaScript implementation.
private let seedOne = [UInt8](repeating: 1, count: 32)
private let publicKeyOfSeedOne = "8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c"
private let topicOfSeedOne = "c5e21ab1c9f6022d81c3b25e3436cb7f1df77f9652ae3e1310c28e621dd87b4c"

@Suite("Keys") struct KeyTests {
    @Test("A seed gives the key pair the JavaScript implementation makes of it") func seed() throws {
        let keyPair = try KeyPair(seed: seedOne)
        #expect(keyPair.publicKey.hex == publicKeyOfSeedOne)
        #expect(try PublicKey(keyPair.publicKey.topic).hex == topicOfSeedOne)
        #expect(try KeyPair(seed: seedOne) == keyPair)
    }

    @Test("New key pairs differ") func generate() throws {
        #expect(try KeyPair() != KeyPair())
    }

    @Test("A key reads back from either text", arguments: [UInt8(0), 1, 0xfe, 0xff]) func text(byte: UInt8) throws {
        let key = try PublicKey([UInt8](repeating: byte, count: 32))
        #expect(key.hex.count == 64)
        #expect(key.zBase32.count == 52)
        #expect(try PublicKey(key.hex) == key)
        #expect(try PublicKey(key.zBase32) == key)
        #expect(try PublicKey(key.hex.uppercased()) == key)
        #expect(try JSONDecoder().decode([PublicKey].self, from: JSONEncoder().encode([key])) == [key])
    }

    @Test(
        "Text that is no key is refused with the reason",
        arguments: ["", "00", String(repeating: "g", count: 64), String(repeating: "l", count: 52), "é"]
    ) func malformed(text: String) {
        let error = #expect(throws: DHTError.self) { try PublicKey(text) }
        #expect(error?.code == .malformedKeyText)
    }

    @Test("Keys and seeds of another length are refused", arguments: [0, 31, 33]) func length(count: Int) {
        let bytes = [UInt8](repeating: 0, count: count)
        #expect(#expect(throws: DHTError.self) { try PublicKey(bytes) }?.code == .invalidKeyLength)
        #expect(#expect(throws: DHTError.self) { try KeyPair(seed: bytes) }?.code == .invalidKeyLength)
    }

    @Test("A signature holds for its message and its key only") func signature() throws {
        let (alice, bob) = (try KeyPair(seed: seedOne), try KeyPair())
        let message = Array("announce me".utf8)
        let signature = alice.signature(for: message)
        #expect(alice.publicKey.isValidSignature(signature, for: message))
        #expect(!alice.publicKey.isValidSignature(signature, for: message + [0]))
        #expect(!bob.publicKey.isValidSignature(signature, for: message))
        #expect(!alice.publicKey.isValidSignature(signature.dropLast(), for: message))
        #expect(alice.publicKey.isValidSignature(alice.signature(for: []), for: []))
    }

    @Test("Printing a key pair shows no secret") func redaction() throws {
        let keyPair = try KeyPair(seed: seedOne)
        var dumped = ""
        dump(keyPair, to: &dumped)
        for text in ["\(keyPair)", String(reflecting: keyPair), dumped] {
            #expect(text.contains(publicKeyOfSeedOne))
            #expect(!text.contains("0101010101"))
        }
    }

    @Test("The secret key is the seed, then the public key") func secretKey() throws {
        let keyPair = try KeyPair(seed: seedOne)
        #expect(keyPair.withSecretKey(Array.init) == seedOne + keyPair.publicKey.bytes)
    }
}
