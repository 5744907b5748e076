internal import EventLog
internal import EventModel
internal import MillraceBus

extension GatewayEnvironment {
    /// `GET /ui/topics/{topic}`.
    func topicPage(_ name: String, _ request: GatewayRequest) async throws -> Reply {
        let domain = domain(of: name)
        try request.require(.replay, in: domain)
        var parameters = request.parameters.filled
        let asked = TopicQuestion.names.reduce(into: [String: String]()) { asked, name in
            asked[name] = parameters.all(name).last
        }
        try parameters.end("/ui/topics/\(name)")
        var (rows, problem): (TopicRows?, Problem?) = (nil, nil)
        do {
            rows = try await TopicQuestion(name, asked).rows(on: log, domains)
        } catch {
            let found = self.problem(error, inPath: true)
            if found.status != .badRequest { throw found }
            problem = found
        }
        let kinds = domain == nil ? [] : RecordShape.types(of: name, domains) ?? []
        var frame = frame(name, request.access, here: domain.map { .domain($0) })
        frame.scripts = [.asset("topic.js")]
        let page = frame.page {
            HTML.tag("h1") { name }
            TopicParts.form(name, asked, kinds: kinds)
            if let problem {
                HTML.tag("div", .class("result bad"), .set("role", "alert"), .id("result")) {
                    HTML.tag("p", .set("dir", "auto")) { problem.detail }
                }
            }
            if let rows { TopicParts.rows(name, rows, asked) }
        }
        return .page(page, status: problem?.status.rawValue ?? 200)
    }
}

/// What somebody wants to see of a topic.
private struct TopicQuestion {
    static let names = ["from", "to", "partition", "key", "type", "limit", "last-event-id"]
    private let topic: String
    private let asked: [String: String]
    private let partition: Int?
    private let limit: Int

    init(_ topic: String, _ asked: [String: String]) throws(Problem) {
        (self.topic, self.asked) = (topic, asked)
        func number(_ name: String) throws(Problem) -> Int? {
            guard let text = asked[name] else { return nil }
            guard let number = Int(text), number >= 0 else {
                throw Problem(.badRequest, "\(name) \(text) is no whole number", field: name)
            }
            return number
        }
        (partition, limit) = (try number("partition"), try number("limit") ?? GatewayLimits.pageRecords)
        if !(1...GatewayLimits.pageRecords).contains(limit) {
            throw Problem(.badRequest, "limit must be 1 to \(GatewayLimits.pageRecords)", field: "limit")
        }
    }

    /// Records in the order of their times; where nothing is said, the newest of each partition.
    func rows(on log: any EventLog, _ domains: [Domain]) async throws -> TopicRows {
        let counts = try await log.partitionCounts()
        guard let partitions = counts[topic] else { throw LogError.unknown(topic) }
        let each = max(1, limit / (partition == nil ? partitions : 1))
        let places = try asked["last-event-id"].map { try EventID.places($0, of: topic) } ?? [:]
        let reading = try await TopicReading(
            [topic], partition: partition, from: asked["from"] ?? "-\(each)", to: asked["to"] ?? "end",
            goingOnAt: places, on: log)
        let kind = try asked["type"].map { try RecordShape.type($0, of: [topic], domains) }
        let shape = try RecordShape(format: nil, csv: false, domains: domains)
        let key = asked["key"].map { Bytes($0) }
        var next = reading.ranges.mapValues(\.lowerBound)
        var (found, read) = ([TopicRows.Row](), 0)
        try await reading.each(
            on: log, follows: false, batch: GatewayLimits.readBatch, afterEachLook: { true }
        ) { batch, records in
            let types = shape.types(batch.source)
            for record in records {
                read += 1
                if found.count >= limit || read > GatewayLimits.pageLooks { return false }
                next[batch.source] = record.offset + 1
                if let key, record.key != key { continue }
                let type = types(record)
                if let kind, type != kind { continue }
                found.append(
                    TopicRows.Row(
                        partition: batch.source.partition, offset: record.offset, time: record.timestamp,
                        key: record.key.text, type: type, event: shape.event(record, batch.source)))
            }
            next[batch.source] = batch.next
            return true
        }
        let ends = try await log.bounds(of: Array(next.keys))
        let isMore = next.contains { place, offset in ends[place].map { offset < $0.upperBound } ?? false }
        return TopicRows(
            rows: found.sorted { ($0.time, $0.partition, $0.offset) < ($1.time, $1.partition, $1.offset) },
            next: isMore && asked["to"] == nil ? EventID.text(next) : nil)
    }
}

private struct TopicRows {
    struct Row {
        var partition: Partition
        var offset: Offset
        var time: Timestamp
        var key: String
        var type: String
        var event: String
    }
    var rows: [Row]
    /// Where the records behind these begin; nil where there are none.
    var next: String?
}

private enum TopicParts {
    static func form(_ topic: String, _ asked: [String: String], kinds: [String]) -> HTML {
        func field(_ name: String, _ about: String) -> HTML {
            PageParts.field(name, name, about: about) {
                PageParts.input($0 + [.set("dir", "auto")], name: name, asked[name] ?? "")
            }
        }
        return HTML.tag(
            "form", .class("fields row"), .set("method", "get"), .action(PagePath.topic(topic).link()),
            .set("data-topic", topic)
        ) {
            field("from", "start, an offset, -20 for the last 20, @-1h or @2030-12-31T20:00:00Z.")
            field("to", "end, an offset or a moment.")
            field("partition", "Only this one.")
            field("key", "Only records with this key.")
            PageParts.field("type", "type", about: "Only these.") {
                kinds.isEmpty
                    ? PageParts.input($0, name: "type", asked["type"] ?? "")
                    : PageParts.select($0, name: "type", kinds, chosen: asked["type"] ?? "")
            }
            HTML.tag("div", .class("actions")) {
                HTML.tag("button") { "Show" }
                HTML.tag("button", .type("button"), .id("follow"), .set("aria-pressed", "false"), .flag("hidden")) {
                    "Follow"
                }
            }
        }
    }

    static func rows(_ topic: String, _ rows: TopicRows, _ asked: [String: String]) -> HTML {
        HTML.tag("section", .id("records")) {
            HTML.tag("p", .id("follow-state"), .class("about"), .set("role", "status")) {
                rows.rows.isEmpty ? "There are no such records." : ""
            }
            PageParts.table(
                "Records of \(topic)",
                [.text("Place"), .text("Time"), .text("Key"), .text("Type"), .text("Event")]
            ) {
                for row in rows.rows {
                    HTML.tag("tr") {
                        HTML.tag("td", .class("t")) { "\(row.partition)@\(row.offset)" }
                        HTML.tag("td", .class("t")) { row.time.rfc3339 }
                        PageParts.cell(row.key)
                        PageParts.cell(row.type)
                        HTML.tag("td", .class("t event"), .set("dir", "auto")) {
                            HTML.tag("code") { Shown.text(row.event) }
                        }
                    }
                }
            }
            HTML.tag("p", .class("about")) {
                if let next = rows.next {
                    let kept = ["partition", "key", "type", "limit"].compactMap { name in asked[name].map { (name, $0) }
                    }
                    HTML.tag(
                        "a", .href(PagePath.topic(topic).link(kept + [("last-event-id", next)])), .set("rel", "next")
                    ) { "Go on" }
                    " · "
                }
                HTML.tag("a", .href(PagePath.topic(topic).link([("from", "start")]))) { "From the start" }
                " · "
                HTML.tag("a", .href(PagePath.topic(topic).link())) { "Newest" }
            }
        }
    }
}
