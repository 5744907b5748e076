internal import Foundation
internal import TestSupport

/// The gateway, beside a bare server of the same library and a small service in Python that reads the same view.
extension Bench {
    /// Of two connections that are 64, each has two threads of wrk behind it; server and wrk share the cores.
    private static let followers = 1000
    private static let followedEvents = 200
    private static let idleConnections = 10_000
    private static let status = "/views/orders.status?order=o1"

    func httpRows() async throws -> [Row] {
        guard Wrk.program != nil else {
            progress(skipped: "http", "there is no wrk (Debian: wrk)")
            return []
        }
        let place = try fresh("http")
        defer { remove(place) }
        let gateway = try await ServedBus(self, place)
        let answer = try await gateway.get(Self.status)
        let hello = try await served(["hello", "\(try FreePort.find())", "\(answer.utf8.count)"], path: "/hello")
        let peer = try await fastAPI(place)
        var results = Results()
        let wrk = Wrk(bench: self)
        for round in 0..<rounds {
            results.queries.append(try await wrk.get(gateway.url(Self.status)))
            results.hello.append(try await wrk.get(hello.url))
            if let peer { results.peer.append(try await wrk.get(peer.url)) }
            results.commands.append(try await wrk.placeOrders(gateway.url("/"), tag: "r\(round)"))
        }
        try await hello.running.stop()
        if let peer { try await peer.running.stop() }
        let rows = results.rows + (try await followed(gateway)) + (try await idle(gateway))
        try await gateway.running.stop()
        return rows
    }

    private func progress(skipped: String, _ why: String) { Self.progress("\(skipped): skipped, \(why)") }

    private struct Results {
        var queries: [Wrk.Result] = []
        var hello: [Wrk.Result] = []
        var peer: [Wrk.Result] = []
        var commands: [Wrk.Result] = []

        var rows: [Row] {
            var rows = [
                Row("HTTP, 64 connections: a query by key", .perSecond, queries.map(\.rate), .timesAtLeast(0.5))
                    .held(against: "bare Hummingbird, as many bytes", hello.map(\.rate)),
                Row("… p99", .milliseconds, queries.map(\.p99)).held(against: "bare Hummingbird", hello.map(\.p99)),
            ]
            if !peer.isEmpty {
                rows.append(
                    Row("… the same query", .perSecond, queries.map(\.rate), .timesAtLeast(1))
                        .held(against: "FastAPI, uvicorn, 2 processes", peer.map(\.rate)))
            }
            return rows + [
                Row("HTTP, 64 connections: PlaceOrder accepted", .perSecond, commands.map(\.rate), .atLeast(10_000)),
                Row("… p50", .milliseconds, commands.map(\.p50)),
                Row("… p99", .milliseconds, commands.map(\.p99), .atMost(25)),
                Row("… not accepted", .share, commands.map { Double($0.failures) }, .atMost(0)),
            ]
        }
    }

    /// A thousand follow one topic while orders are placed: each is to be told of every event.
    private func followed(_ gateway: ServedBus) async throws -> [Row] {
        // Orders that wrk left under way would be told to followers too.
        try await eventually("all commands to be decided") {
            let lags = try await run(["lag", "--json"], on: gateway.place).out
            return lags.split(separator: "\n").filter { $0.contains("\"orders.handler\"") }
                .allSatisfy { $0.contains("\"lag\":0") } ? true : nil
        }
        let before = Resident.now(gateway.running.pid) ?? 0
        let request = """
            GET /topics/orders.events?from=end&follow=true HTTP/1.1\r\nHost: localhost\r\nAccept: application/x-ndjson\r\n\r\n
            """
        let sockets = try OpenSockets(Self.followers, port: gateway.port, request: request)
        defer { sockets.stop() }
        try await eventually("\(Self.followers) streams", within: .seconds(60)) {
            try await gateway.get("/metrics").contains("millrace_http_streams \(Self.followers)") ? true : nil
        }
        let watch = Stopwatch()
        let lines = (0..<Self.followedEvents).map { #"{"order":"followed-\#($0)","customer":"ann"}"# }
        try await run(
            ["send", "PlaceOrder", "--file", try file("followed.ndjson", lines)], on: gateway.place)
        try await eventually("all followers to have every event", within: .seconds(120)) {
            sockets.lines.allSatisfy { $0 >= Self.followedEvents } ? true : nil
        }
        let seconds = watch.seconds
        let resident = Resident.now(gateway.running.pid) ?? 0
        // Whoever was told more than there is has been told something twice.
        let wrong = sockets.lines.filter { $0 != Self.followedEvents }.count
        return [
            Row(
                "\(Self.followers) followers of a topic: events delivered", .perSecond,
                [Double(Self.followers * Self.followedEvents) / seconds]),
            Row("… who were not told each event once", .share, [Double(wrong)], .atMost(0)),
            Row("… resident for each", .kilobytes, [(resident - before) * 1000 / Double(Self.followers)]),
        ]
    }

    /// Ten thousand connections that say nothing, and what they cost those that do.
    private func idle(_ gateway: ServedBus) async throws -> [Row] {
        let wrk = Wrk(bench: self)
        let before = Resident.now(gateway.running.pid) ?? 0
        var (alone, beside): ([Double], [Double]) = ([], [])
        var resident = before
        for _ in 0..<rounds {
            alone.append(try await wrk.get(gateway.url(Self.status)).rate)
            let sockets = try OpenSockets(Self.idleConnections, port: gateway.port)
            // Of some hundred files that it has beside them, those of connections before may still be closing.
            try await eventually("\(Self.idleConnections) connections", within: .seconds(60)) {
                try gateway.files() >= Self.idleConnections + gateway.filesAtFirst ? true : nil
            }
            // To set up a connection takes more than to accept it: idle is what costs nothing.
            try await eventually("the gateway to be at rest", within: .seconds(60)) {
                let before = try ProcessorTime.of(gateway.running.pid)
                try await Task.sleep(for: .milliseconds(300))
                return try ProcessorTime.of(gateway.running.pid) - before < 0.03 ? true : nil
            }
            resident = max(resident, Resident.now(gateway.running.pid) ?? 0)
            beside.append(try await wrk.get(gateway.url(Self.status)).rate)
            withExtendedLifetime(sockets) {}
        }
        return [
            Row(
                "HTTP: the query beside \(Self.idleConnections) idle connections", .perSecond, beside,
                .timesAtLeast(0.8)
            ).held(against: "without them", alone),
            Row(
                "… resident for each idle connection", .kilobytes,
                [(resident - before) * 1000 / Double(Self.idleConnections)]),
        ]
    }

    private func file(_ name: String, _ lines: [String]) throws -> String {
        let path = "\(folder)/\(name)"
        try (lines.joined(separator: "\n") + "\n").write(toFile: path, atomically: true, encoding: .utf8)
        return path
    }

    /// This program, serving.
    func served(_ arguments: [String], path: String) async throws -> (running: Running, url: String) {
        let running = try Running(CommandLine.arguments[0].absolute, arguments, cwd: folder, scratch: folder)
        let url = "http://127.0.0.1:\(arguments[1])\(path)"
        try await eventually("\(arguments[0]) to serve") { try? await curl(url) }
        return (running, url)
    }

    /// The peer in Python, where `Tools/peers` could install it.
    private func fastAPI(_ place: String) async throws -> (running: Running, url: String)? {
        let python = FileManager.default.currentDirectoryPath + "/.build/peers-http/bin/python"
        let script = FileManager.default.currentDirectoryPath + "/Tools/peer_http.py"
        guard FileManager.default.isExecutableFile(atPath: python) else {
            progress(skipped: "http beside FastAPI", "\(python) is not there: Tools/peers")
            return nil
        }
        let port = try FreePort.find()
        let running = try Running(
            python, [script, "\(port)"], environment: ["PEER_VIEWS": "\(place)/views"], cwd: folder, scratch: folder)
        let url = "http://127.0.0.1:\(port)/orders/o1"
        try await eventually("FastAPI to serve: \(running.err)") { try? await curl(url) }
        return (running, url)
    }

    func curl(_ url: String) async throws -> String {
        let ended = try await Running(
            "/usr/bin/curl", ["-s", "-S", "--fail", "-m", "20", url], cwd: folder, scratch: folder
        ).end(within: .seconds(30))
        if ended.exit != 0 { throw Overdue(description: "curl \(url): \(ended)") }
        return ended.out
    }
}

/// `millrace up` with one order in it.
private struct ServedBus {
    let bench: Bench
    let place: String
    let running: Running
    let port: Int
    /// Files that it had open before anybody was connected.
    let filesAtFirst: Int

    init(_ bench: Bench, _ place: String) async throws {
        (self.bench, self.place) = (bench, place)
        port = Int(try FreePort.find())
        running = try bench.start(
            ["up", "--http", "127.0.0.1:\(port)", "--http-rate", "1000000"], on: place)
        try await eventually("up to serve", within: .seconds(60)) { [running] in
            running.err.contains("serving http") ? true : nil
        }
        filesAtFirst = try Self.files(running.pid)
        try await bench.run(["send", "PlaceOrder", #"{"order":"o1","customer":"ann"}"#], on: place)
        try await eventually("the order in its view") { [self] in
            try await get("/views/orders.status?order=o1").contains("received") ? true : nil
        }
    }

    func url(_ path: String) -> String { "http://127.0.0.1:\(port)\(path)" }
    func get(_ path: String) async throws -> String { try await bench.curl(url(path)) }

    /// Files that it has open: of each connection that it has accepted, one.
    func files() throws -> Int { try Self.files(running.pid) }

    private static func files(_ pid: Int32) throws -> Int {
        try FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/fd").count
    }
}

extension String {
    fileprivate var absolute: String {
        hasPrefix("/") ? self : FileManager.default.currentDirectoryPath + "/" + self
    }
}
