internal import CHyperDHT

/// The functions of `hdht/keys.h` that need no handle.
///
/// Results that are not looked at cannot be errors: every pointer is given and every size is the header's.
enum Keys {
    static func parse(_ text: [UInt8]) throws(DHTError) -> PublicKey.Words {
        var words: PublicKey.Words = (0, 0, 0, 0)
        let status = withUnsafeMutableBytes(of: &words) { words in
            text.withUnsafeBytes { text in
                hdht_public_key_from_text(
                    text.bindMemory(to: CChar.self).baseAddress, text.count,
                    words.bindMemory(to: UInt8.self).baseAddress)
            }
        }
        guard status == 0 else {
            throw DHTError(.malformedKeyText, "expected 64 hexadecimal digits or 52 characters of z-base-32")
        }
        return words
    }

    static func hex(_ key: PublicKey) -> String {
        text(of: key, size: Int(HDHT_PUBLIC_KEY_HEX_SIZE), hdht_public_key_to_hex)
    }

    static func zBase32(_ key: PublicKey) -> String {
        text(of: key, size: Int(HDHT_PUBLIC_KEY_Z_BASE32_SIZE), hdht_public_key_to_z_base32)
    }

    static func hash(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: Int(HDHT_HASH_SIZE)) { hash, count in
            _ = hdht_hash(bytes.bindMemory(to: UInt8.self).baseAddress, bytes.count, hash.baseAddress)
            count = Int(HDHT_HASH_SIZE)
        }
    }

    static func isValid(signature: [UInt8], message: [UInt8], publicKey: PublicKey) -> Bool {
        guard signature.count == Int(HDHT_SIGNATURE_SIZE) else { return false }
        return publicKey.withBytes { key in
            hdht_verify(key.bindMemory(to: UInt8.self).baseAddress, message, message.count, signature) == 0
        }
    }

    private static func text(
        of key: PublicKey, size: Int, _ write: (UnsafePointer<UInt8>?, UnsafeMutablePointer<CChar>?) -> Int32
    ) -> String {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: size) { text in
            _ = key.withBytes { write($0.bindMemory(to: UInt8.self).baseAddress, text.baseAddress) }
            return String(decoding: UnsafeRawBufferPointer(text).dropLast(), as: UTF8.self)
        }
    }
}

/// Owns a secret key: one allocation that is wiped when the last reference goes.
///
/// `@unchecked Sendable`: the memory is written only in `init` and `deinit`.
final class KeyStorage: @unchecked Sendable {
    private let keys: UnsafeMutablePointer<hdht_key_pair>

    init() throws(DHTError) {
        keys = .allocate(capacity: 1)
        keys.initialize(to: hdht_key_pair())
        guard hdht_key_pair_generate(keys) == 0 else {
            throw DHTError(.noEntropy, "the operating system gave no random bytes")
        }
    }

    init(seed: [UInt8]) {
        keys = .allocate(capacity: 1)
        keys.initialize(to: hdht_key_pair())
        _ = hdht_key_pair_from_seed(seed, keys)
    }

    deinit {
        hdht_key_pair_wipe(keys)
        keys.deallocate()
    }

    var publicKey: PublicKey {
        PublicKey(words: UnsafeRawPointer(keys).loadUnaligned(as: PublicKey.Words.self))
    }

    func sign(_ message: [UInt8]) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: Int(HDHT_SIGNATURE_SIZE)) { signature, count in
            _ = hdht_sign(keys, message, message.count, signature.baseAddress)
            count = Int(HDHT_SIGNATURE_SIZE)
        }
    }

    /// Lends it where it is: a copy of the imported tuple would leave the secret behind on the stack.
    func withSecretKey<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        let start = UnsafeRawPointer(keys) + Int(HDHT_PUBLIC_KEY_SIZE)
        return body(UnsafeRawBufferPointer(start: start, count: Int(HDHT_SECRET_KEY_SIZE)))
    }
}
