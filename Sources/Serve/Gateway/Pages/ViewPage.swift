internal import EventLog
internal import EventModel
internal import HTTPTypes
internal import MillraceBus

extension GatewayEnvironment {
    /// `GET /ui/views/{query}`.
    func viewPage(_ name: String, _ request: GatewayRequest) async throws -> Reply {
        let query = try named { try catalogue.query(name) }
        let domain = domain(of: query)
        try request.require(.query, in: domain)
        var rest = request.parameters.filled
        let given = rest.rest()
        let values = given.reduce(into: [String: String]()) { $0[$1.name] = $1.value }
        var (answer, problem): (Answer?, Problem?) = (nil, nil)
        // Before anything is filled in, what is needed is not missed.
        let isAsked = !given.isEmpty || !query.parameters.contains(where: \.required)
        if isAsked {
            var parameters = request.parameters.filled
            do {
                answer = try await ask(query, &parameters)
            } catch {
                problem = self.problem(error)
                if let problem, problem.status == .internalError { throw problem }
            }
        }
        var frame = frame(query.name, request.access, here: .domain(domain))
        frame.scripts = [.asset("view.js")]
        let page = frame.page {
            HTML.tag("h1") { query.name }
            HTML.tag("p", .class("lead")) { query.about }
            ViewParts.form(query, values, problem)
            if let problem {
                HTML.tag("div", .class("result bad"), .set("role", "alert"), .id("result")) {
                    HTML.tag("p", .set("dir", "auto")) { problem.detail }
                }
            }
            if let answer { ViewParts.rows(query, answer, given) }
        }
        return .page(page, status: problem?.status.rawValue ?? 200)
    }
}

private enum ViewParts {
    static func form(_ query: Query, _ values: [String: String], _ problem: Problem?) -> HTML {
        HTML.tag("form", .class("fields row"), .set("method", "get"), .action(PagePath.view(query.name).link())) {
            for parameter in query.parameters { field(parameter, values[parameter.name] ?? "", problem) }
            PageParts.field(
                "as-of", "as-of", about: "The view as it was: @-5m, @2030-12-31T20:00:00Z or TOPIC/PARTITION@OFFSET."
            ) {
                PageParts.input($0 + [.flag("data-as-of")], name: "as-of", values["as-of"] ?? "")
            }
            PageParts.field("limit", "limit", about: "Rows of a page.") {
                PageParts.input($0 + [.set("inputmode", "numeric")], name: "limit", values["limit"] ?? "")
            }
            HTML.tag("div", .class("actions")) { HTML.tag("button") { "Show" } }
        }
    }

    private static func field(_ parameter: Parameter, _ value: String, _ problem: Problem?) -> HTML {
        let error = problem?.field == parameter.name ? problem?.detail : nil
        return PageParts.field(
            "parameter-\(parameter.name)", parameter.name, about: parameter.about, isRequired: parameter.required,
            error: error
        ) { attributes in
            if !parameter.allowed.isEmpty {
                return PageParts.select(attributes, name: parameter.name, parameter.allowed, chosen: value)
            }
            if parameter.kind == .flag {
                return PageParts.select(attributes, name: parameter.name, ["true", "false"], chosen: value)
            }
            let example: HTML.Attribute = .set("placeholder", parameter.kind == .text ? "" : parameter.kind.example)
            return PageParts.input(attributes + [example, .set("dir", "auto")], name: parameter.name, value)
        }
    }

    static func rows(
        _ query: Query, _ answer: GatewayEnvironment.Answer, _ given: [(name: String, value: String)]
    ) -> HTML {
        let (page, columns) = (answer.page, answer.page.columns)
        let asked = given.filter { $0.name != "cursor" }
        return HTML.tag("section", .id("answer")) {
            HTML.tag("h2") {
                page.rows.isEmpty ? "No rows" : page.rows.count == 1 ? "1 row" : "\(page.rows.count) rows"
            }
            if !page.rows.isEmpty {
                PageParts.table(
                    "Rows of \(query.name)",
                    columns.map { PageParts.Column(name: JSON.camel($0.name), about: $0.about, isNumber: $0.isNumber) }
                ) {
                    for row in page.rows {
                        HTML.tag("tr") { for (value, column) in zip(row, columns) { cell(value, column) } }
                    }
                }
            }
            HTML.tag("p", .class("about")) {
                if let next = answer.call.next(of: page) {
                    HTML.tag(
                        "a", .href(PagePath.view(query.name).link(asked + [("cursor", next)])), .set("rel", "next")
                    ) {
                        "Next page"
                    }
                    " · "
                }
                HTML.tag("a", .href(Link(["views", query.name], given))) { "JSON" }
                " · as of "
                answer.asOf.sorted { $0.key < $1.key }.map { "\($0.key)@\($0.value)" }.joined(separator: ", ")
            }
        }
    }

    private static func cell(_ value: Value, _ column: Column) -> HTML {
        switch value {
        case .null: PageParts.cell("–")
        case .integer(let ms) where column.kind == .timestamp:
            HTML.tag("td", .class("t")) {
                HTML.tag("time", .set("datetime", Timestamp(ms).rfc3339)) { Timestamp(ms).rfc3339 }
            }
        case .integer(let value): PageParts.cell(String(value), isNumber: true)
        case .real(let value): PageParts.cell(String(value), isNumber: true)
        case .text(let text): PageParts.cell(text)
        }
    }
}

extension Column {
    fileprivate var isNumber: Bool { kind == .integer || kind == .real }
}
