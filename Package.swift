// swift-tools-version: 6.1
import PackageDescription

/// What every Swift target of this package is compiled with.
let swiftSettings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("ExistentialAny"),
]

let package = Package(
    name: "HyperDHT",
    platforms: [.macOS(.v15), .iOS(.v18)],
    products: [
        .library(name: "HyperDHT", targets: ["HyperDHT"]),
        .library(name: "HyperDHTTesting", targets: ["HyperDHTTesting"]),
        .library(name: "CHyperDHT", targets: ["CHyperDHT"]),
        .executable(name: "dht-relay", targets: ["dht-relay"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0")
    ],
    targets: [
        .systemLibrary(
            name: "CSodium", pkgConfig: "libsodium",
            providers: [.apt(["libsodium-dev"]), .brew(["libsodium"])]
        ),
        .systemLibrary(
            name: "CLibuv", pkgConfig: "libuv",
            providers: [.apt(["libuv1-dev"]), .brew(["libuv"])]
        ),
        .systemLibrary(
            name: "COpenSSL", pkgConfig: "openssl",
            providers: [.apt(["libssl-dev"]), .brew(["openssl"])]
        ),

        // The C core. The same files are built by CMakeLists.txt; csrc holds nothing but .c and .h.
        .target(
            name: "CHyperDHT",
            dependencies: ["CSodium", "CLibuv"],
            path: ".",
            sources: ["csrc"],
            publicHeadersPath: "include",
            cSettings: [.headerSearchPath("csrc")]
        ),

        .target(name: "LoopRuntime", dependencies: ["CLibuv"], swiftSettings: swiftSettings),
        // Both sides of the relay protocol as values: no sockets, no clock.
        .target(name: "RelayProtocol", dependencies: ["CHyperDHT"], swiftSettings: swiftSettings),

        .target(
            name: "ByteTransport", dependencies: ["LoopRuntime", "CLibuv", "COpenSSL"], swiftSettings: swiftSettings
        ),
        .target(name: "HyperDHT", dependencies: ["CHyperDHT", "CLibuv", "LoopRuntime"], swiftSettings: swiftSettings),
        .target(name: "HyperDHTTesting", dependencies: ["HyperDHT"], swiftSettings: swiftSettings),
        .executableTarget(
            name: "dht-relay",
            dependencies: [
                "HyperDHT",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: swiftSettings
        ),

        .executableTarget(
            name: "swift-bench", dependencies: ["LoopRuntime", "ByteTransport"], path: "Tests/SwiftBench",
            swiftSettings: swiftSettings
        ),
        .testTarget(name: "LoopRuntimeTests", dependencies: ["LoopRuntime", "CLibuv"], swiftSettings: swiftSettings),
        .testTarget(
            name: "ByteTransportTests", dependencies: ["ByteTransport", "LoopRuntime"], swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "HyperDHTTests", dependencies: ["HyperDHT", "HyperDHTTesting", "CHyperDHT"],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "RelayProtocolTests", dependencies: ["RelayProtocol", "CHyperDHT"], swiftSettings: swiftSettings
        ),
    ],
    cLanguageStandard: .gnu11
)
