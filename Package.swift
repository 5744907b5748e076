// swift-tools-version: 6.2
import Foundation
import PackageDescription

/// What every target of ours is held to.
let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("ExistentialAny"),
]

func ours(_ name: String, _ stage: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
    .target(
        name: name, dependencies: dependencies, path: "Sources/\(stage)/\(name)", exclude: exclude,
        swiftSettings: strict)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
    .testTarget(
        name: name, dependencies: dependencies, path: "Tests/\(name)", exclude: exclude, swiftSettings: strict)
}

/// What is in a folder, in the order of the names; nothing where there is no such folder.
func contents(of path: String) -> [String] {
    let all = try? FileManager.default.contentsOfDirectory(atPath: "\(Context.packageDirectory)/\(path)")
    return (all ?? []).sorted()
}
func folders(in path: String) -> [String] { contents(of: path).filter { !$0.contains(".") } }

/// A domain is a folder in Sources/Domains, and the module of its name: `Tickets` is TicketsDomain. The package manager keeps
/// what it knew of the folders: after one came or went, `make` has it look again.
let worlds = folders(in: "Sources/Domains")
/// What every domain may use: the model, and what is no domain's own.
let shared: [Target.Dependency] = [
    "EventModel", "CSVText", "JSONText", "XMLText", "CivilCalendar", "Geography", "Money", "Secrets", "Caching",
    "Learning",
]
let domainModules = worlds.map { Target.Dependency.target(name: "\($0)Domain") }

func domain(_ name: String) -> Target {
    let path = "Sources/Domains/\(name)"
    let hasPage = contents(of: path).contains("Page")
    return .target(
        name: "\(name)Domain", dependencies: shared + [protobuf, collections, ordered], path: path,
        exclude: contents(of: path).filter { $0.hasSuffix(".proto") || $0 == "Page" }, swiftSettings: strict,
        plugins: hasPage ? ["EmbedPage"] : [])
}

/// A domain's tests stand in a folder of the same name.
func domainTests(_ name: String) -> Target {
    .testTarget(
        name: "\(name)DomainTests",
        dependencies: shared + [
            .target(name: "\(name)Domain"), "DomainTesting", "MillraceTestKit", "Projecting", "Quarantining",
            "TestSupport", protobuf, yams,
        ], path: "Tests/Domains/\(name)", exclude: ["fields.txt", "samples.txt"], swiftSettings: strict)
}

/// The packages that this one is built on, and the versions that it is built with and tested on. A file of resolved versions
/// is not committed.
let versions: [(url: String, version: Version)] = [
    ("https://github.com/apple/swift-argument-parser", "1.8.2"),
    ("https://github.com/apple/swift-log", "1.16.2"),
    ("https://github.com/apple/swift-collections", "1.6.0"),
    ("https://github.com/apple/swift-protobuf", "1.39.0"),
    ("https://github.com/swift-server/swift-service-lifecycle", "2.13.0"),
    ("https://github.com/groue/GRDB.swift", "7.10.0"),
    ("https://github.com/jpsim/Yams", "6.2.2"),
    ("https://github.com/HdrHistogram/hdrhistogram-swift", "0.2.0"),
    ("https://github.com/hummingbird-project/hummingbird", "2.28.1"),
    ("https://github.com/apple/swift-nio", "2.101.2"),
    ("https://github.com/apple/swift-nio-extras", "1.35.2"),
    ("https://github.com/apple/swift-nio-ssl", "2.37.6"),
    ("https://github.com/apple/swift-http-types", "1.8.0"),
    ("https://github.com/apple/swift-metrics", "2.13.0"),
    ("https://github.com/apple/swift-distributed-tracing", "1.7.3"),
]

/// What those are built on in turn. No target of ours imports it.
let reached: [(url: String, version: Version)] = [
    ("https://github.com/apple/swift-async-algorithms", "1.1.4"),
    ("https://github.com/apple/swift-numerics", "1.1.1"),
    ("https://github.com/apple/swift-atomics", "1.3.0"),
    ("https://github.com/apple/swift-service-context", "1.5.1"),
    ("https://github.com/apple/swift-system", "1.8.1"),
    // Of what Hummingbird names and nothing here is built with.
    ("https://github.com/apple/swift-configuration", "1.4.0"),
    ("https://github.com/apple/swift-algorithms", "1.2.1"),
    ("https://github.com/apple/swift-asn1", "1.7.4"),
    ("https://github.com/apple/swift-certificates", "1.21.1"),
    ("https://github.com/apple/swift-crypto", "4.5.2"),
    ("https://github.com/apple/swift-http-structured-headers", "1.7.0"),
    ("https://github.com/apple/swift-nio-http2", "1.46.0"),
    ("https://github.com/apple/swift-nio-transport-services", "1.28.0"),
    ("https://github.com/swift-server/async-http-client", "1.37.0"),
]

/// Builds of ours set `MILLRACE_EXACT=1` and take exactly these versions. A package that depends on this one may take newer.
let isExact = Context.environment["MILLRACE_EXACT"] == "1"
/// Packages of which nothing is used that their traits add. Several traits would also be options in an order that differs between
/// the package that is built and one that depends on it, and each would be compiled twice.
let isPlain = ["swift-protobuf", "hummingbird"]
func dependency(url: String, version: Version) -> Package.Dependency {
    let traits: Set<Package.Dependency.Trait> = isPlain.contains { url.hasSuffix($0) } ? [] : [.defaults]
    return isExact
        ? .package(url: url, exact: version, traits: traits) : .package(url: url, from: version, traits: traits)
}
/// Named by a target, for the package manager warns of packages that none names.
let numerics: [Target.Dependency] = isExact ? [.product(name: "RealModule", package: "swift-numerics")] : []
let underHTTP: [Target.Dependency] =
    isExact
    ? [
        .product(name: "Atomics", package: "swift-atomics"),
        .product(name: "ServiceContextModule", package: "swift-service-context"),
        .product(name: "SystemPackage", package: "swift-system"),
    ] : []

/// What makes the documentation of the modules, and only where that is wanted: `make docs`.
let documenting: [(url: String, version: Version)] =
    Context.environment["MILLRACE_DOCS"] == "1"
    ? [
        ("https://github.com/swiftlang/swift-docc-plugin", "1.5.0"),
        ("https://github.com/swiftlang/swift-docc-symbolkit", "1.0.0"),
    ] : []

let protobuf = Target.Dependency.product(name: "SwiftProtobuf", package: "swift-protobuf")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let lifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let signals = Target.Dependency.product(name: "UnixSignals", package: "swift-service-lifecycle")
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let sqlite = Target.Dependency.product(name: "GRDBSQLite", package: "GRDB.swift")
let collections = Target.Dependency.product(name: "HeapModule", package: "swift-collections")
let ordered = Target.Dependency.product(name: "OrderedCollections", package: "swift-collections")
let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let histogram = Target.Dependency.product(name: "Histogram", package: "hdrhistogram-swift")
let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let http = Target.Dependency.product(name: "HTTPTypes", package: "swift-http-types")
let nio = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let nioHTTP = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let nioHTTPTypes = Target.Dependency.product(name: "NIOHTTPTypes", package: "swift-nio-extras")
let nioHTTPTypesHTTP1 = Target.Dependency.product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras")
let hummingbirdCore = Target.Dependency.product(name: "HummingbirdCore", package: "hummingbird")
let metrics = Target.Dependency.product(name: "CoreMetrics", package: "swift-metrics")
let tracing = Target.Dependency.product(name: "Tracing", package: "swift-distributed-tracing")
let hummingbirdHTTP2 = Target.Dependency.product(name: "HummingbirdHTTP2", package: "hummingbird")
let nioTLS = Target.Dependency.product(name: "NIOTLS", package: "swift-nio")
let nioSSL = Target.Dependency.product(name: "NIOSSL", package: "swift-nio-ssl")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")

let package = Package(
    name: "millrace",
    products: [
        .executable(name: "millrace", targets: ["MillraceCommand"]),
        // What others build on: the model, the bus inside a program of theirs, and the whole command line.
        .library(name: "Millrace", targets: ["Millrace"]),
        .library(name: "MillraceBus", targets: ["MillraceBus"]),
        .library(name: "MillraceApp", targets: ["MillraceApp"]),
        .library(name: "Kafka", targets: ["Kafka"]),
        .library(name: "MillraceTestKit", targets: ["MillraceTestKit"]),
        .plugin(name: "EmbedPage", targets: ["EmbedPage"]),
        .library(name: "SkewedClock", type: .dynamic, targets: ["SkewedClock"]),
    ],
    dependencies: (versions + (isExact ? reached : []) + documenting).map(dependency),
    targets: [
        // Decide: what a command means. No I/O, no clock.
        ours("EventModel", "Decide", [protobuf, collections]),
        ours("Millrace", "Decide", ["EventModel"]),
        // Formats and units that are no domain's own.
        ours("CSVText", "Decide", ["EventModel"]),
        ours("JSONText", "Decide", ["EventModel"]),
        ours("XMLText", "Decide", ["EventModel"]),
        ours("CivilCalendar", "Decide", ["EventModel"]),
        ours("Money", "Decide", []),
        // What a bounded cache keeps, a cache for programs, and what its policies would have made of a trace.
        ours("Caching", "Decide", []),
        // What is learned of data, and how: suggestions, boosted trees, a classifier of texts.
        ours("Learning", "Decide", []),
        ours("Geography", "Decide", ["CS2"]),
        // C++ over Google's S2, with a header of plain C.
        .target(name: "CS2", path: "Sources/Decide/CS2", linkerSettings: [.linkedLibrary("s2")]),

        // Deliver: how an event is kept and carried.
        ours("EventLog", "Deliver", ["EventModel"]),
        // What is counted and measured, over swift-metrics.
        ours("Metering", "Deliver", [metrics]),
        // Traces that go with records, over swift-distributed-tracing.
        ours("RecordTracing", "Deliver", ["EventModel", "EventLog", tracing]),
        .systemLibrary(
            name: "CZlib", path: "Sources/Deliver/CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        // Whether a database has changed, told without a wait: of the log's and of views'.
        ours("SQLiteHead", "Deliver", [sqlite]),
        ours(
            "LocalLog", "Deliver", ["EventLog", "EventModel", "Metering", "SQLiteHead", "CZlib", grdb, sqlite, metrics]),
        .systemLibrary(
            name: "CRdkafka", path: "Sources/Deliver/CRdkafka", pkgConfig: "rdkafka",
            providers: [.apt(["librdkafka-dev"]), .brew(["librdkafka"])]),
        ours("Kafka", "Deliver", ["CRdkafka"]),
        ours("KafkaLog", "Deliver", ["EventLog", "EventModel", "Kafka", "Metering", metrics]),
        ours(
            "Quarantining", "Deliver", ["EventLog", "EventModel", protobuf, lifecycle], exclude: ["quarantine.proto"]),
        ours(
            "Handling", "Deliver",
            [
                "EventLog", "EventModel", "Quarantining", "Metering", "RecordTracing", protobuf, lifecycle, logging,
                metrics,
            ],
            exclude: ["outcome.proto"]),

        // Project: what readers will see.
        ours(
            "Projecting", "Project",
            ["EventLog", "EventModel", "Quarantining", "Metering", "RecordTracing", lifecycle, logging, metrics]),
        ours("SQLiteViews", "Project", ["Projecting", "EventLog", "EventModel", "SQLiteHead", grdb, sqlite]),
        ours(
            "Snapshots", "Project",
            ["Projecting", "SQLiteViews", "EventLog", "EventModel", "CZlib", lifecycle, logging]),
        .systemLibrary(
            name: "CPostgres", path: "Sources/Project/CPostgres", pkgConfig: "libpq",
            providers: [.apt(["libpq-dev"]), .brew(["libpq"])]),
        ours("PostgresViews", "Project", ["Projecting", "EventModel", "CPostgres"]),

        // Test: what a domain does when its workers die, stall and are told lies. Not in the executable.
        ours("MillraceTestKit", "Test", ["EventModel", "EventLog", "Quarantining", "Handling", "Projecting", logging]),

        // Serve: how people ask. The list of all domains is made of the folders.
        .plugin(name: "ListDomains", capability: .buildTool()),
        .plugin(name: "EmbedExample", capability: .buildTool()),
        .plugin(name: "EmbedPage", capability: .buildTool()),
        .target(
            name: "Domains", dependencies: ["EventModel"] + domainModules, path: "Sources/Serve/Domains",
            swiftSettings: strict, plugins: ["ListDomains"]),
        // The composition root and the bus inside another program. No command line.
        ours(
            "MillraceBus", "Serve",
            [
                "EventModel", "EventLog", "LocalLog", "KafkaLog", "Quarantining", "Handling", "Projecting",
                "SQLiteViews", "PostgresViews", "Snapshots", "Metering", "RecordTracing", "JSONText", lifecycle,
                logging,
                protobuf, metrics,
            ]),
        // Metrics as Prometheus reads them.
        ours("PrometheusExporter", "Serve", ["Metering", metrics]),
        // Traces as OpenTelemetry's collector reads them from a file.
        ours("TraceFile", "Serve", ["EventModel", lifecycle, logging, tracing]),
        // Who asks: JSON Web Tokens and their keys. The cryptography is OpenSSL's, which librdkafka and libpq link anyway.
        .systemLibrary(
            name: "CCrypto", path: "Sources/Serve/CCrypto", pkgConfig: "libcrypto",
            providers: [.apt(["libssl-dev"]), .brew(["openssl@3"])]),
        // Hashes that keep a secret: of passwords, and of who somebody is.
        ours("Secrets", "Serve", ["CCrypto"]),
        ours("Tokens", "Serve", ["CCrypto", "Secrets", "EventModel", "JSONText", "MillraceBus"]),
        // What checks passwords, and where it is kept.
        ours(
            "Passwords", "Serve",
            ["Secrets", "EventModel", "EventLog", "Handling", "JSONText", "MillraceBus", grdb, sqlite]),
        // The way in over HTTP. It knows the ports and the bus, and no log or view store.
        .target(
            name: "MillraceGateway",
            dependencies: [
                "MillraceBus", "EventModel", "EventLog", "Handling", "Projecting", "Quarantining", "Snapshots", "CZlib",
                "JSONText", "Caching", "Metering", "PrometheusExporter", "RecordTracing", "Tokens", "Passwords",
                metrics,
                tracing, hummingbird, hummingbirdCore,
                hummingbirdHTTP2, http, nio, nioHTTP, nioHTTPTypes, nioHTTPTypesHTTP1, nioSSL, nioTLS, lifecycle,
                signals, logging,
                protobuf,
            ],
            path: "Sources/Serve/Gateway", exclude: ["Page"], swiftSettings: strict, plugins: ["EmbedPage"]),
        // Keys and values as Redis' clients ask for them.
        ours(
            "RESP", "Serve",
            [
                .target(name: "KVDomain"), "EventModel", "EventLog", "Handling", "Projecting", "Quarantining", "CZlib",
                nio, nioPosix, lifecycle,
            ]),
        .target(
            name: "MillraceApp",
            dependencies: [
                "MillraceBus", "MillraceGateway", "RESP", "EventModel", "CSVText", "Money", "Caching", "EventLog",
                "LocalLog",
                "KafkaLog",
                "Quarantining",
                "Handling", "Projecting", "SQLiteViews", "PostgresViews", "Snapshots", "Tokens", "Passwords", "CZlib",
                "Metering", "PrometheusExporter", "RecordTracing", "TraceFile", arguments, yams, metrics, tracing,
                lifecycle, signals, logging, protobuf, histogram,
            ],
            path: "Sources/Serve/MillraceApp", swiftSettings: strict, plugins: ["EmbedExample"]),
        // The product is `millrace`. A module of that name would differ from `Millrace` by case alone.
        .executableTarget(
            name: "MillraceCommand", dependencies: ["MillraceApp", "Domains"], path: "Sources/Serve/millrace",
            swiftSettings: strict),

        // Real processes under real faults: `make faults`.
        .target(name: "SkewedClock", path: "Sources/Test/SkewedClock"),
        .executableTarget(
            name: "faults",
            dependencies: [
                "EventModel", "Domains", "EventLog", "LocalLog", "KafkaLog", "Handling", "Projecting", "SQLiteViews",
                "PostgresViews", "MillraceTestKit", "PostgresServer", "TestSupport", arguments, protobuf,
            ] + domainModules,
            path: "Sources/Test/faults", swiftSettings: strict),

        // Learns what the models know, and measures them: `make learn`.
        .executableTarget(
            name: "learn", dependencies: ["EventModel", "Learning"], path: "Sources/Test/learn", swiftSettings: strict),

        // How fast it is, beside what else there is: `make bench`.
        .executableTarget(
            name: "bench",
            dependencies: [
                "EventModel", "Domains", "EventLog", "LocalLog", "Kafka", "KafkaLog", "Handling", "Projecting",
                "SQLiteViews", "MillraceTestKit", "PostgresServer", "TestSupport", "Metering", "PrometheusExporter",
                "Caching", arguments, lifecycle, logging, histogram, hummingbird,
            ] + domainModules,
            path: "Sources/Test/bench", swiftSettings: strict),

        // Tests mirror the sources. PostgresServer is a server that those of the views in PostgreSQL start; TestSupport
        // drives processes, has what is bad for them, and wraps logs.
        .target(name: "PostgresServer", path: "Tests/PostgresServer", swiftSettings: strict),
        // A worker that dies of some records.
        .executableTarget(
            name: "Mortal",
            dependencies: [
                "EventModel", "EventLog", "LocalLog", "Quarantining", "Handling", "Projecting", "SQLiteViews",
                lifecycle, signals, logging,
            ] + domainModules,
            path: "Tests/Mortal", swiftSettings: strict),
        .target(
            name: "TestSupport", dependencies: ["EventLog", "EventModel"], path: "Tests/TestSupport",
            swiftSettings: strict),
        tests("KafkaTests", ["Kafka", "KafkaLog", "EventLog", "EventModel", "PrometheusExporter"]),
        tests("DecideTests", ["EventModel", protobuf]),
        tests("DocumentTests", ["MillraceCommand", "PostgresServer", "TestSupport"], exclude: ["API"]),
        tests("LogTests", ["EventLog", "EventModel", "LocalLog", "Kafka", "KafkaLog", "CZlib", "TestSupport", grdb]),
        // What a domain's tests share, and the tests that all domains have.
        .target(
            name: "DomainTesting", dependencies: ["EventModel", "Projecting", protobuf], path: "Tests/DomainTesting",
            swiftSettings: strict),
        tests(
            "DomainTests",
            ["Domains", "DomainTesting", "EventModel", "Quarantining", protobuf],
            exclude: ["fields.txt"]),
        tests("CachingTests", ["Caching", "TestSupport"]),
        tests("LearningTests", ["Learning", "EventModel", "learn"]),
        tests("FormatsTests", ["EventModel", "CSVText", "JSONText", "XMLText", "Money"]),
        tests(
            "WorkerTests",
            [
                "Domains", "EventModel", "EventLog", "MillraceBus", "LocalLog", "Kafka", "KafkaLog", "Quarantining",
                "Handling", "Projecting", "SQLiteViews", "PostgresViews", "PostgresServer", "Snapshots", "TestSupport",
                protobuf,
                grdb, lifecycle, logging,
            ] + domainModules,
            exclude: ["Guests/guests.proto"]),
        tests(
            "SimulationTests",
            [
                "MillraceTestKit", "Domains", "EventModel", "EventLog", "Handling", "Projecting", "TestSupport",
                protobuf,
            ] + domainModules
        ),
        tests(
            "MillraceTests",
            [
                "MillraceApp", "MillraceBus", "MillraceCommand", "Mortal", "MillraceTestKit", "Domains", "EventModel",
                "EventLog", "LocalLog", "Kafka",
                "KafkaLog", "Quarantining", "Handling", "Projecting", "SQLiteViews", "PostgresServer", "TestSupport",
                "Metering", protobuf, grdb, arguments, lifecycle, logging, "Geography",
            ] + domainModules,
            exclude: ["Logs"]),
        tests(
            "RESPTests",
            [
                "RESP", .target(name: "KVDomain"), "EventModel", "EventLog", "LocalLog", "Handling", "Quarantining",
                "TestSupport",
                "MillraceCommand", grdb, nio, logging, lifecycle,
            ]),
        tests("TracingTests", ["RecordTracing", "TraceFile", "EventModel", logging, tracing]),
        tests("MetricsTests", ["Metering", "PrometheusExporter", metrics]),
        tests(
            "GatewayTests",
            [
                "MillraceGateway", "MillraceBus", "Tokens", "Passwords", "Secrets", "EventModel", "EventLog",
                "Projecting",
                "Snapshots",
                "CZlib",
                "HitsDomain", "OrdersDomain", "PrometheusExporter", "TestSupport", protobuf, http, nio, nioHTTP,
                lifecycle,
                logging,
            ] + underHTTP),
        tests("BenchTests", ["bench"] + numerics),
        tests(
            "FaultsTests",
            ["faults", "MillraceCommand", "Domains", "EventLog", "EventModel", "TestSupport", grdb]),
    ],
    cxxLanguageStandard: .cxx17
)

package.targets += worlds.map(domain) + folders(in: "Tests/Domains").map(domainTests)
