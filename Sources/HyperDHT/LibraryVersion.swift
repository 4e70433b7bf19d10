internal import CHyperDHT

/// The version of this library.
public enum LibraryVersion {
    /// For example `0.1.0`.
    public static let text = String(cString: hdht_version_string())
}
