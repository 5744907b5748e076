internal import EventLog
internal import EventModel
internal import Foundation
internal import LinksDomain
internal import LocalLog
internal import Projecting
internal import SQLiteViews
internal import TestSupport

/// Links that are followed, beside nginx and a bare server of the same library, each of which answers 302 with the same URL.
extension Bench {
    private static let few = 10_000
    private static let target = "https://example.com/articles/2026/1/a-title-of-some-length?utm_source=mail"

    func linkRows() async throws -> [Row] {
        guard Wrk.program != nil else {
            Self.progress("links: skipped, there is no wrk (Debian: wrk)")
            return []
        }
        let small = try await FollowedLinks(self, Self.few)
        let hello = try await served(
            ["hello", "\(try FreePort.find())", "0", "--location", Self.target], path: "/l/aB3dE6")
        let nginx = try await NGINX(self, redirectingTo: Self.target)
        if nginx == nil { Self.progress("links beside nginx: skipped, it is not there (Debian: nginx)") }
        var (ours, bare, static302): ([Followed], [Followed], [Followed]) = ([], [], [])
        let wrk = Wrk(bench: self)
        for _ in 0..<rounds {
            ours.append(try await small.follow(wrk))
            bare.append(try await Followed(hello.running.pid) { try await wrk.get(hello.url) })
            if let nginx {
                static302.append(try await Followed(nginx.running.pid) { try await wrk.get(nginx.url) })
            }
        }
        try await hello.running.stop()
        try await nginx?.stop()
        let rows = rows(ours, bare, static302) + [try await small.lost()]
        let grown = links > Self.few ? try await grown(beside: small, wrk) : []
        try await small.stop()
        return rows + grown
    }

    private func rows(_ ours: [Followed], _ bare: [Followed], _ nginx: [Followed]) -> [Row] {
        var rows = [
            Row(
                "links: redirects, 64 connections, clicks recorded", .perSecond, ours.map(\.result.rate),
                .atLeast(36_000)
            )
            .held(against: "nginx, a static 302", nginx.map(\.result.rate)),
            Row("… beside a bare server", .perSecond, ours.map(\.result.rate), .timesAtLeast(1))
                .held(against: "bare Hummingbird, a static 302", bare.map(\.result.rate)),
            Row("… p99", .milliseconds, ours.map(\.result.p99), .atMost(5))
                .held(against: "nginx, a static 302", nginx.map(\.result.p99)),
            Row("… processor a redirect", .microseconds, ours.map(\.cost))
                .held(against: "bare Hummingbird, a static 302", bare.map(\.cost)),
        ]
        if !nginx.isEmpty {
            rows.append(
                Row("… processor a redirect", .microseconds, ours.map(\.cost))
                    .held(against: "nginx, a static 302", nginx.map(\.cost)))
        }
        return rows + [
            Row("… not answered by 302", .share, ours.map { Double($0.result.failures) }, .atMost(0))
        ]
    }

    /// The same of many links, in turns with few.
    private func grown(beside small: FollowedLinks, _ wrk: Wrk) async throws -> [Row] {
        let large = try await FollowedLinks(self, links)
        // The view was just written: the system brings gigabytes to the disk for a while, and reads each page for the first time.
        sync()
        for links in [small, large] { _ = try await links.follow(wrk) }
        var (few, many): ([Followed], [Followed]) = ([], [])
        for _ in 0..<rounds {
            few.append(try await small.follow(wrk))
            many.append(try await large.follow(wrk))
        }
        let rows = [
            Row("links: p99 of redirects of \(links) links", .milliseconds, many.map(\.result.p99), .timesAtMost(1.2))
                .held(against: "of \(Self.few)", few.map(\.result.p99)),
            Row("… redirects", .perSecond, many.map(\.result.rate))
                .held(against: "of \(Self.few)", few.map(\.result.rate)),
            Row("… processor a redirect", .microseconds, many.map(\.cost))
                .held(against: "of \(Self.few)", few.map(\.cost)),
            Row("… bytes of the view for each link", .bytes, [large.viewBytes]),
        ]
        try await large.stop()
        return rows
    }
}

/// What `wrk` measured, and what it cost the other side.
private struct Followed: Sendable {
    var result: Wrk.Result
    /// Microseconds of a processor for each answer.
    var cost: Double

    init(_ pid: Int32, _ ask: () async throws -> Wrk.Result) async throws {
        let before = ProcessorTime.ofAll(under: pid)
        result = try await ask()
        let used = ProcessorTime.ofAll(under: pid) - before
        cost = used * 1e6 / max(Double(result.answers), 1)
    }
}

/// A gateway with links in its view, and nothing else in its process.
private struct FollowedLinks {
    let bench: Bench
    let place: String
    let running: Running
    let url: String
    let codes: String
    /// Bytes of the view's database for each of them.
    let viewBytes: Double

    init(_ bench: Bench, _ count: Int) async throws {
        self.bench = bench
        place = try bench.fresh("links")
        codes = "\(place)/codes.txt"
        viewBytes = try await Self.fill(bench, place, count, codes)
        let port = Int(try FreePort.find())
        url = "http://127.0.0.1:\(port)/"
        running = try bench.start(["serve", "--http", "127.0.0.1:\(port)", "--http-rate", "1000000"], on: place)
        try await eventually("serve to serve", within: .seconds(60)) { [running] in
            running.err.contains("serving http") ? true : nil
        }
    }

    /// Appends the events of so many links, and folds them into their view.
    ///
    /// - Returns: Bytes of the view's database for each.
    private static func fill(_ bench: Bench, _ place: String, _ count: Int, _ codes: String) async throws -> Double {
        try await bench.run(["topics", "apply"], on: place)
        let log = try await LocalLog.open(directory: place)
        _ = FileManager.default.createFile(atPath: codes, contents: nil)
        guard let file = FileHandle(forWritingAtPath: codes) else { throw Overdue(description: codes) }
        var links = MadeLinks()
        let partitions = try await log.partitionCounts()["links.events"] ?? 1
        let (watch, began) = (Stopwatch(), try ProcessorTime.of(getpid()))
        // One batch is made while the one before is written.
        var writing: Task<Void, any Error>?
        for first in stride(from: 0, to: count, by: 10_000) {
            let made = try (first..<min(first + 10_000, count)).map { number in
                try links.make(
                    owner: "p\(number % 1000)",
                    url: "https://example.com/articles/2026/\(number)/a-title-of-some-length?utm_source=mail")
            }
            let records = made.map { NewRecord(key: $0.key, value: $0.value, timestamp: now()) }
            try await writing?.value
            writing = Task { _ = try await log.append(Append.byKey(records, to: "links.events", among: partitions)) }
            try file.write(contentsOf: Data(made.map { $0.code + "\n" }.joined().utf8))
        }
        try await writing?.value
        try file.close()
        let loaded = try ProcessorTime.of(getpid())
        Bench.progress(
            "links: \(count) are on the log after \(Int(watch.seconds)) s, \(Int(loaded - began)) s of a processor")
        let views = try SQLiteViews(directory: place + "/views")
        let projection = Domain.links.projections[0]
        let ends = try await log.bounds(of: log.partitions(of: projection.topics)).mapValues(\.upperBound)
        try await bench.running([Projector(projection, log: log, views: views, logger: bench.logger)]) {
            try await bench.shows(projection, views, ends, within: .seconds(7200))
        }
        let folded = try ProcessorTime.of(getpid()) - loaded
        Bench.progress(
            "links: \(count) are in their view after \(Int(watch.seconds)) s, \(Int(folded)) s of a processor for that")
        let database = views.path(of: projection)
        await views.close()
        await log.close()
        let size = try FileManager.default.attributesOfItem(atPath: database)[.size] as? Int ?? 0
        return Double(size) / Double(count)
    }

    func follow(_ wrk: Wrk) async throws -> Followed {
        try await Followed(running.pid) { try await wrk.follow(url, codes: codes) }
    }

    /// Redirects whose click is not on the log once all are written.
    func lost() async throws -> Row {
        func sum(_ text: String, _ parts: String...) -> Double {
            text.split(separator: "\n").filter { line in parts.allSatisfy { line.contains($0) } }
                .compactMap { $0.split(separator: " ").last.flatMap { Double($0) } }.reduce(0, +)
        }
        return try await eventually("clicks to be written", within: .seconds(60)) {
            let text = try await bench.curl(url + "metrics")
            if sum(text, "millrace_http_route_events_waiting") > 0 { return nil }
            let followed = sum(text, "millrace_http_requests_total", "/l/{code}", "\"302\"")
            let written = sum(text, "millrace_http_route_events_total", "written")
            return Row("… redirects whose click is not on the log", .share, [followed - written], .atMost(0))
        }
    }

    func stop() async throws {
        try await running.stop()
        bench.remove(place)
    }
}

/// nginx, which answers each request with the same redirect.
private struct NGINX {
    let running: Running
    let url: String

    init?(_ bench: Bench, redirectingTo location: String) async throws {
        let programs = ["/usr/sbin/nginx", "/usr/local/bin/nginx", "/opt/homebrew/bin/nginx"]
        guard let program = programs.first(where: { FileManager.default.isExecutableFile(atPath: $0) }) else {
            return nil
        }
        let port = Int(try FreePort.find())
        let folder = try bench.fresh("nginx")
        let kinds = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        try """
        daemon off; worker_processes auto; pid \(folder)/pid; error_log \(folder)/error.log;
        events { worker_connections 1024; }
        http {
          access_log off; keepalive_requests 1000000000;
          \(kinds.map { "\($0)_temp_path \(folder)/\($0);" }.joined(separator: " "))
          server { listen 127.0.0.1:\(port); location /l/ { return 302 \(location); } }
        }

        """.write(toFile: "\(folder)/nginx.conf", atomically: true, encoding: .utf8)
        running = try Running(
            program, ["-p", folder, "-c", "\(folder)/nginx.conf"], cwd: folder, scratch: folder)
        url = "http://127.0.0.1:\(port)/l/aB3dE6"
        let url = url
        try await eventually("nginx to serve: \(running.err)") { try? await bench.curl(url) }
    }

    func stop() async throws { try await running.stop() }
}
