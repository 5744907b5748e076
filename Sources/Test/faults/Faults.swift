internal import ArgumentParser
internal import EventModel
internal import Foundation
internal import PostgresServer
internal import TestSupport

/// Runs the program under faults, and proves that nothing was lost: `make faults`.
@main
struct Faults: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "faults",
        abstract: "Run millrace in many processes under load and faults, and look what was lost.",
        discussion: """
            Exits with 1 where an acknowledged write is lost, is there twice, or anything
            else does not hold. Then the folder is kept, with the log, the views, and what
            every process said.
            """)
    @Option(help: "How long there is a load, in all places together (also MILLRACE_MINUTES; default: 3).")
    var minutes: Double?
    @Option(help: "The same seed gives the same load and the same faults (also MILLRACE_SEED; default: random).")
    var seed: UInt64?
    @Option(help: "Only there; may be repeated. \(Place.allCases.map(\.rawValue).joined(separator: ", ")).")
    var place: [String] = []
    @Option(help: "The program (default: the millrace beside this one).")
    var program: String?
    @Flag(help: "Keep the folder in any case.")
    var keep = false

    func run() async throws {
        let environment = ProcessInfo.processInfo.environment
        let minutes = minutes ?? environment["MILLRACE_MINUTES"].flatMap(Double.init) ?? 3
        let seed = seed ?? environment["MILLRACE_SEED"].flatMap { UInt64($0) } ?? UInt64.random(in: 1..<1_000_000)
        let broker = environment["MILLRACE_TEST_KAFKA"]
        let places = try chosen(broker: broker)
        guard minutes > 0 else { throw ValidationError("--minutes \(minutes) is no time") }
        let time = Duration.seconds(minutes * 60 / Double(places.count))
        progress("seed \(seed), \(time.text) in each of \(places.map(\.rawValue).joined(separator: ", "))")

        let base = FileManager.default.temporaryDirectory.appendingPathComponent("millrace-faults-\(seed)-\(getpid())")
        var reports: [Report] = []
        for place in places {
            let site = try Site(
                place, folder: "\(base.path)-\(place.rawValue)",
                program: program ?? Self.folder + "/millrace", broker: broker,
                brokerRestart: environment["MILLRACE_BROKER_RESTART"], time: time)
            let interrupts = Interrupts { site.close(keeping: false) }
            let report: Report
            do {
                report = try await Campaign(site: site, seed: seed, time: time, tag: Self.tag()).run()
            } catch {
                site.close(keeping: true)
                print("faults: \(place.rawValue): \(error)\nfaults: see \(site.folder)")
                throw ExitCode(1)
            }
            interrupts.end()
            let isKept = keep || !report.discrepancies.isEmpty
            if isKept {
                try Data(report.details.utf8).write(to: URL(fileURLWithPath: site.folder + "/found.txt"))
            }
            site.close(keeping: isKept)
            for (kind, why) in report.impossible { progress("\(place.rawValue): no \(kind.rawValue): \(why)") }
            if !report.discrepancies.isEmpty { Self.tell(report, site) }
            reports.append(report)
        }
        print("\n" + Report.table(reports))
        if reports.contains(where: { !$0.discrepancies.isEmpty }) { throw ExitCode(1) }
    }

    private func chosen(broker: String?) throws -> [Place] {
        let named = try place.map { name in
            guard let place = Place(rawValue: name) else { throw ValidationError("there is no place \(name)") }
            return place
        }
        var places = named.isEmpty ? Place.allCases : named
        if broker == nil {
            if named.contains(.broker) {
                throw ValidationError("set MILLRACE_TEST_KAFKA=host:port for \(Place.broker.rawValue)")
            }
            places.removeAll { $0 == .broker }
        }
        if !PostgresServer.isHere {
            progress(PostgresServer.absent)
            places.removeAll { $0 != .sqlite }
        }
        return places
    }

    /// Where this program is, and what was built with it.
    static let folder = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath()
        .deletingLastPathComponent().path

    /// Short, for handles have 20 characters, and different each time.
    static func tag() -> String { "f" + String(UInt64(Date().timeIntervalSince1970 * 10) % 2_176_782_336, radix: 36) }

    private static func tell(_ report: Report, _ site: Site) {
        print("faults: \(report.place.rawValue) did not hold:")
        for discrepancy in report.discrepancies.prefix(20) { print("  \(discrepancy)") }
        if report.discrepancies.count > 20 { print("  and \(report.discrepancies.count - 20) more") }
        print(
            """
            faults: kept in \(site.folder): found.txt (all of these, and the faults with their times), processes/ (what \
            each process said), log/ (millrace verify --log local:\(site.folder)/log). The same faults come again with \
            MILLRACE_SEED=\(report.seed)
            """)
    }
}

/// Says how far it has come.
func progress(_ words: String) { FileHandle.standardError.write(Data("faults: \(words)\n".utf8)) }

/// Cleans up where a person interrupts.
final class Interrupts {
    private let sources: [any DispatchSourceSignal]

    init(_ clean: @escaping @Sendable () -> Void) {
        sources = [SIGINT, SIGTERM].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler {
                clean()
                exit(128 + number)
            }
            source.resume()
            return source
        }
    }

    func end() { for source in sources { source.cancel() } }
}
