internal import EventLog
internal import EventModel
internal import MillraceBus
internal import Projecting
internal import Quarantining

extension GatewayEnvironment {
    /// `GET /ui`.
    func overview(_ request: GatewayRequest) async throws -> Reply {
        try request.parameters.end("/ui")
        let access = request.access
        let operates = access.allows(.operate, in: nil)
        let seen = operates ? try await workers.sample() : []
        let waiting = operates ? try QuarantineGroup.groups(try await log.quarantine().read(), nil, in: domains) : []
        let topics = try await topicSampler.sample().filter { access.allows(.replay, in: domain(of: $0.topic.name)) }
        var frame = frame("Overview", access, here: .overview)
        frame.scripts = [.asset("overview.js")]
        return .page(
            frame.page {
                HTML.tag("h1") { "Overview" }
                Overview.cards(frame.domains)
                if operates {
                    Overview.waiting(waiting)
                    Overview.workers(seen)
                }
                Overview.latest
                Overview.topics(topics, domains)
            })
    }

    /// `POST /ui/quarantine/redrive`.
    func redriveForm(_ request: GatewayRequest) async throws -> Reply {
        var fields = try await form(request).filled
        _ = try await redrive(try fields.one("worker"), try key(&fields), request)
        return .seeOther(PagePath.overview.link())
    }

    /// `POST /ui/quarantine/drop`.
    func dropForm(_ request: GatewayRequest) async throws -> Reply {
        var fields = try await form(request).filled
        guard let worker = try fields.one("worker"), let key = try key(&fields) else {
            throw Problem(.badRequest, "say whose key is dropped, and which", field: "key")
        }
        _ = try await drop(worker, key: key, request)
        return .seeOther(PagePath.overview.link())
    }

    private func key(_ fields: inout ParameterReader) throws(Problem) -> String? {
        let key = try fields.one("key")
        try fields.end("the form")
        return key
    }
}

/// The parts of the overview. What is `data-live` is read again while the page is looked at.
private enum Overview {
    static func cards(_ domains: [Domain]) -> HTML {
        HTML.tag("ul", .class("cards"), .label("Domains")) {
            for domain in domains {
                HTML.tag("li") {
                    HTML.tag("a", .href(PagePath.domain(domain.name).link())) { domain.page?.title ?? domain.name }
                    HTML.tag("p") { domain.about }
                }
            }
        }
    }

    static func workers(_ seen: [WorkerSampler.Seen]) -> HTML {
        HTML.tag("section") {
            HTML.tag("h2") { "Workers" }
            HTML.tag("div", .id("workers"), .flag("data-live")) {
                PageParts.table(
                    "Workers",
                    [
                        .text("Worker"), .text("Kind"), .number("Lag"), .number("Records/s"), .number("Oldest, s"),
                        .text("State"),
                    ]
                ) {
                    for one in seen {
                        HTML.tag("tr") {
                            PageParts.cell(one.worker.name)
                            PageParts.cell(one.worker.kind)
                            PageParts.number(one.health.lag)
                            PageParts.cell(one.rate.map { PageParts.grouped(Int64($0)) } ?? "–", isNumber: true)
                            PageParts.cell(one.health.age.map { "\($0.milliseconds / 1000)" } ?? "–", isNumber: true)
                            state(one)
                        }
                    }
                }
            }
        }
    }

    private static func state(_ one: WorkerSampler.Seen) -> HTML {
        HTML.tag("td", .class("t")) {
            if one.waiting > 0 {
                HTML.tag("span", .class("bad")) { "\(one.waiting) waiting" }
            } else if let problem = one.health.problem {
                HTML.tag("span", .class("bad")) { problem }
            } else {
                HTML.tag("span", .class("good")) { "ok" }
            }
        }
    }

    static func waiting(_ groups: [QuarantineGroup]) -> HTML {
        HTML.tag("section") {
            HTML.tag("h2") { "Quarantine" }
            HTML.tag("div", .id("quarantine"), .flag("data-live")) {
                if groups.isEmpty {
                    HTML.tag("p") { "Nothing waits." }
                } else {
                    HTML.tag("p") { button(.redrive, "Redrive all", "Have all that waits handled again", []) }
                    PageParts.table(
                        "Quarantine",
                        [
                            .text("Worker"), .text("Key"), .number("Waiting"), .text("First"), .text("Why"),
                            .text("What to do"),
                        ]
                    ) { for group in groups { row(group) } }
                }
            }
        }
    }

    private static func row(_ group: QuarantineGroup) -> HTML {
        let named = group.key.isEmpty ? group.place : group.key.text
        let fields = [("worker", group.worker), ("key", named)]
        return HTML.tag("tr") {
            PageParts.cell(group.worker)
            PageParts.cell(named)
            PageParts.number(group.items.count)
            PageParts.cell(group.place)
            PageParts.cell(group.reason)
            HTML.tag("td", .class("t")) {
                button(.redrive, "Redrive", "Have \(named) of \(group.worker) handled again", fields)
                button(
                    .drop, "Drop first", "Give up the first record of \(named) that waits for \(group.worker)", fields)
            }
        }
    }

    private static func button(
        _ path: PagePath, _ text: String, _ label: String, _ fields: [(name: String, value: String)]
    ) -> HTML {
        HTML.tag("form", .class("inline"), .set("method", "post"), .action(path.link())) {
            for field in fields { HTML.tag("input", .type("hidden"), .name(field.name), .value(field.value)) }
            HTML.tag("button", .label(label)) { text }
        }
    }

    static var latest: HTML {
        HTML.tag("section") {
            HTML.tag("h2") { "Latest events" }
            HTML.tag("noscript") {
                HTML.tag("p") { "They stream in with JavaScript; the pages of topics show them without." }
            }
            HTML.tag("p", .id("latest-state"), .class("about"), .set("role", "status")) { "" }
            HTML.tag("ol", .id("latest"), .class("events"), .label("Latest events, newest first")) { "" }
        }
    }

    static func topics(_ seen: [TopicSampler.Seen], _ domains: [Domain]) -> HTML {
        HTML.tag("section") {
            HTML.tag("h2") { "Topics" }
            HTML.tag("div", .id("topics"), .flag("data-live")) {
                PageParts.table(
                    "Topics",
                    [
                        .text("Topic"), .number("Partitions"), .number("Records"), .number("Records/s"), .text("Key"),
                    ]
                ) {
                    for one in seen {
                        HTML.tag("tr") {
                            HTML.tag("td", .class("t")) {
                                HTML.tag("a", .href(PagePath.topic(one.topic.name).link())) { one.topic.name }
                            }
                            PageParts.number(one.topic.partitions)
                            PageParts.number(one.records)
                            PageParts.cell(one.rate.map { PageParts.grouped(Int64($0)) } ?? "–", isNumber: true)
                            PageParts.cell(one.topic.key)
                        }
                    }
                }
            }
        }
    }
}
