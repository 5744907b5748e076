// swift-tools-version: 6.2
import PackageDescription

// A domain outside Millrace's own package: what a reader of docs/extending.md ends with.
let millrace = "millrace"

let package = Package(
    name: "likes",
    dependencies: [
        // Elsewhere: .package(url: "https://…/millrace", from: "0.1.0")
        .package(name: millrace, path: "../.."),
        .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0", traits: []),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        // The domain: pure code, and the messages that Tools/proto makes of likes.proto.
        .target(
            name: "LikesDomain",
            dependencies: [
                .product(name: "Millrace", package: millrace),
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ],
            exclude: ["likes.proto"]),
        // The whole command line for it, in five lines.
        .executableTarget(
            name: "likes", dependencies: ["LikesDomain", .product(name: "MillraceApp", package: millrace)]),
        // A program that embeds the bus.
        .executableTarget(
            name: "embedded",
            dependencies: [
                "LikesDomain", .product(name: "MillraceBus", package: millrace),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ]),
        .testTarget(
            name: "LikesTests",
            dependencies: [
                "LikesDomain", "likes", "embedded", .product(name: "MillraceTestKit", package: millrace),
                .product(name: "MillraceBus", package: millrace),
            ]),
    ])
