internal import EventLog
internal import EventModel
internal import Foundation
internal import KafkaLog
internal import LocalLog
internal import PostgresServer
internal import PostgresViews
internal import Projecting
internal import SQLiteViews
internal import Synchronization
internal import TestSupport

/// Where a log and views are tried.
enum Place: String, Sendable, CaseIterable {
    case sqlite = "local+sqlite"
    case postgres = "local+postgres"
    case broker = "broker+postgres"
}

/// A log and views, what can be done to them, and the processes that use them.
final class Site: Sendable {
    let place: Place
    /// Everything that is kept is in it.
    let folder: String
    let program: String
    let log: String
    /// The views as the program is told; between it and a server is a proxy.
    let views: String
    /// The views without a proxy.
    private let ownViews: String
    let server: PostgresServer?
    let proxy: Proxy?
    let disk: SmallDisk?
    /// Starts the broker again.
    let brokerRestart: String?
    private let live = Mutex<[Int32: Running]>([:])

    /// What a small disk has: the load of so long fits, with half as much again.
    static func diskMegabytes(for time: Duration) -> Int { 400 + Int(time / .seconds(60) * 100) }

    /// - Parameters:
    ///   - broker: `host:port`, where the place has one.
    ///   - time: How long there is to be a load.
    init(
        _ place: Place, folder: String, program: String, broker: String?, brokerRestart: String?, time: Duration
    ) throws {
        self.place = place
        self.folder = folder
        self.program = program
        self.brokerRestart = place == .broker ? brokerRestart : nil
        try FileManager.default.createDirectory(atPath: folder + "/processes", withIntermediateDirectories: true)
        disk =
            place != .broker && SmallDisk.isPossible
            ? try SmallDisk(megabytes: Self.diskMegabytes(for: time)) : nil
        let local = (disk?.folder ?? folder) + "/log"
        log = place == .broker ? "kafka://\(broker ?? "")" : "local:" + local
        if place == .sqlite {
            (server, proxy) = (nil, nil)
            (views, ownViews) = ("sqlite:\(local)/views", "sqlite:\(local)/views")
        } else {
            let server = try PostgresServer()
            ownViews = try server.url(for: "views")
            let proxy = try Proxy(to: server.port)
            views = ownViews.replacing(":\(server.port)/", with: ":\(proxy.port)/")
            (self.server, self.proxy) = (server, proxy)
        }
    }

    /// What can go wrong here, and why other things cannot.
    var faults: (possible: [Fault.Kind], impossible: [(Fault.Kind, String)]) {
        var impossible: [(Fault.Kind, String)] = []
        if server == nil {
            for kind in [Fault.Kind.databaseCrashed, .connectionsDropped, .connectionsFrozen] {
                impossible.append((kind, "no server is here"))
            }
        }
        if disk == nil {
            impossible.append((.diskFull, place == .broker ? "the log is the broker's" : SmallDisk.missing))
        }
        if brokerRestart == nil {
            impossible.append(
                (.brokerRestarted, place == .broker ? "set MILLRACE_BROKER_RESTART" : "no broker is here"))
        }
        if SkewedClock.library == nil {
            impossible.append((.clockSkewed, "libSkewedClock.so is not built, or not for this system"))
        }
        return (Fault.Kind.allCases.filter { kind in !impossible.contains { $0.0 == kind } }, impossible)
    }

    func openLog() async throws -> any EventLog {
        if place == .broker { return try await KafkaLog(brokers: String(log.dropFirst("kafka://".count))) }
        return try await LocalLog.open(directory: String(log.dropFirst("local:".count)))
    }

    func openViews() throws -> any ViewStore {
        if place == .sqlite { return try SQLiteViews(directory: String(ownViews.dropFirst("sqlite:".count))) }
        return try PostgresViews(url: ownViews)
    }

    /// Starts the program on this log and these views.
    ///
    /// - Parameter ownViews: Past the proxy, for what only checks.
    func start(
        _ arguments: [String], label: String, environment: [String: String] = [:], directly: Bool = false
    ) throws -> Running {
        let places = ["MILLRACE_LOG": log, "MILLRACE_VIEWS": directly ? ownViews : views, "HOME": folder]
        let running = try Running(
            program, arguments, environment: places.merging(environment) { $1 }, cwd: folder,
            scratch: folder + "/processes", label: label + "-")
        live.withLock { live in
            live = live.filter { !$0.value.hasEnded }
            live[running.pid] = running
        }
        return running
    }

    /// Kills whatever still runs; a local log on a small disk is kept where the site keeps everything.
    func close(keeping isKept: Bool) {
        for running in live.withLock({ Array($0.values) }) { running.send(SIGKILL) }
        proxy?.close()
        if let disk {
            if isKept { try? FileManager.default.copyItem(atPath: disk.folder + "/log", toPath: folder + "/log") }
            disk.remove()
        }
        if !isKept { try? FileManager.default.removeItem(atPath: folder) }
    }
}

/// Another time of day for a process, by a library that is loaded before all others.
enum SkewedClock {
    /// The library that was built with this program; nil where it was not.
    static let library: String? = {
        let path = Faults.folder + "/libSkewedClock.so"
        return FileManager.default.fileExists(atPath: path) ? path : nil
    }()

    static func environment(ahead seconds: Int) -> [String: String] {
        guard let library, seconds != 0 else { return [:] }
        return ["LD_PRELOAD": library, "SKEWED_CLOCK": "\(seconds)"]
    }
}
