// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0

import PackageDescription

let language: [SwiftSetting] = [
    // `any` is written where a value is boxed: the hot path must not box by accident.
    .enableUpcomingFeature("ExistentialAny"),
    // An extension's module is imported where it is used, so that removing a dependency shows every use.
    .enableUpcomingFeature("MemberImportVisibility"),
    // An import is an implementation detail unless it says `package import`.
    .enableUpcomingFeature("InternalImportsByDefault"),
    // Asynchronous functions stay with their caller instead of hopping to the global pool.
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

/// Where changes are checked a warning is an error; not elsewhere, so that a newer compiler stops nobody who builds Tally.
let strictness: [SwiftSetting] = Context.environment["CI"] == nil ? [] : [.treatAllWarnings(as: .error)]

/// One list for every target, so that no room is stricter or laxer than another.
let settings = language + strictness

let package = Package(
    name: "tally",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "tally", targets: ["tally"])
    ],
    // What needs a C library that not everyone has; `make` builds with all of them.
    traits: [
        .trait(name: "JetStream", description: "The log nats://…; needs nats.c (libnats-dev)."),
        .trait(name: "Kafka", description: "The log kafka://…; needs librdkafka (librdkafka-dev)."),
        .trait(name: "PostgreSQL", description: "The store postgres://…; needs libpq (libpq-dev)."),
        .default(enabledTraits: []),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-configuration", from: "1.4.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: []),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        // What happens to an event. Deterministic, so that the simulation can run it: no clock, disk, network or task.
        .target(
            name: "TallyCore",
            dependencies: [.product(name: "Crypto", package: "swift-crypto")],
            swiftSettings: settings),
        // The world behind the contracts: one folder for each outside system.
        .target(
            name: "TallyBackends",
            dependencies: [
                "TallyCore",
                .target(name: "CKafka", condition: .when(traits: ["Kafka"])),
                .target(name: "CNATS", condition: .when(traits: ["JetStream"])),
                .target(name: "CPostgreSQL", condition: .when(traits: ["PostgreSQL"])),
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ],
            swiftSettings: settings),
        // The running process, started by the command and by tests alike.
        .target(
            name: "TallyServer",
            dependencies: [
                "TallyCore",
                "TallyGzip",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            resources: [
                .embedInCode("HTTP/openapi.json"), .embedInCode("Traffic/bots.txt"),
                .embedInCode("Traffic/crawlers.txt"),
            ]
                + [
                    "index.html", "style.css", "app.js", "banner.js", "banners.js", "chart.js", "data.js", "en.js",
                    "ru.js",
                    "overview.js", "system.js", "words.js", "tally.js",
                ].map { .embedInCode("Dashboard/Web/\($0)") },
            swiftSettings: settings),
        // Days of a deployment in a second, with every fault that the world has; what it finds is repeated by its seed.
        .executableTarget(name: "TallySimulator", dependencies: ["TallyCore"], swiftSettings: settings),
        // Commands, configuration, and the one place that chooses backends.
        .executableTarget(
            name: "tally",
            dependencies: [
                "TallyCore",
                "TallyBackends",
                "TallyServer",
                "TallyGzip",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "Configuration", package: "swift-configuration"),
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: settings),
        // What the server's requests and the command's files have in common, so that neither needs the other's libraries.
        .target(name: "TallyGzip", dependencies: ["CZlib"], swiftSettings: settings),
        .systemLibrary(name: "CKafka", pkgConfig: "rdkafka", providers: [.apt(["librdkafka-dev"])]),
        .systemLibrary(name: "CNATS", pkgConfig: "libnats", providers: [.apt(["libnats-dev"])]),
        .systemLibrary(name: "CPostgreSQL", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .testTarget(
            name: "TallyTests",
            dependencies: [
                "TallyCore",
                "TallyBackends",
                "TallyGzip",
                "TallyServer",
                "TallySimulator",
                "tally",
                "CZlib",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdTesting", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            exclude: ["Traffic/crawler-examples.txt"],
            swiftSettings: settings),
    ]
)
