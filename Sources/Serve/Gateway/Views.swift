internal import EventModel
internal import HTTPTypes
internal import Logging
internal import Metering
internal import MillraceBus
internal import Projecting
internal import Snapshots

extension GatewayEnvironment {
    /// `GET /views/{query}`.
    func query(_ name: String, _ request: GatewayRequest) async throws -> Reply {
        let (asked, type) = try asked(name, request)
        let answer = try await answer(asked)
        return reply(answer.call, answer.page, answer.asOf, type, request)
    }

    /// The same on the caller's thread.
    ///
    /// - Returns: nil where the answer has to wait, or would hold up the thread.
    func queryNow(_ name: String, _ request: GatewayRequest) throws -> Reply? {
        // A name that there is not must not be remembered.
        let query = try named { try catalogue.query(name) }
        let long = longQueries.query(query.name)
        if long.isLong(at: .now) { return nil }
        let (asked, type) = try asked(name, request)
        if asked.asOf != nil || !asked.after.isEmpty { return nil }
        guard let (page, asOf) = pageNow(asked.call, long) else { return nil }
        return reply(asked.call, page, asOf, type, request)
    }

    /// A page on the caller's thread; nil where it has to wait, or would hold up the thread.
    func pageNow(_ call: QueryCall, _ long: LongQueries.Query) -> (Page, [TopicPartition: Offset])? {
        let start = ContinuousClock.now
        let before = long.isSuspected ? ThreadTime.now : nil
        // What is wrong with a view is told the long way.
        guard let answer = (try? call.pageNow(at: now(), in: views)) ?? nil else {
            long.add()
            return nil
        }
        let isSlow = ContinuousClock.now - start > GatewayLimits.quickRead
        if isSlow, let before, ThreadTime.now - before > GatewayLimits.quickRead { long.add() }
        long.isSuspected = isSlow
        return answer
    }

    /// A query as a request asks it.
    private struct Asked {
        var call: QueryCall
        var after: [EventPlace]
        /// A moment of the past, as it was written.
        var asOf: String?
        var wait: Duration
    }

    private func asked(_ name: String, _ request: GatewayRequest) throws -> (Asked, MediaType) {
        let query = try named { try catalogue.query(name) }
        try request.require(.query, in: domain(of: query))
        var parameters = request.parameters
        let type = try request.chosen(of: .json, .lines, .csv)
        return (try asked(query, &parameters), type)
    }

    private func asked(_ query: Query, _ parameters: inout ParameterReader) throws -> Asked {
        let after = try parameters.all("after").map { text in try reading("after") { try EventPlace(text) } }
        let (asOf, limit, cursor) = (
            try parameters.one("as-of"), try parameters.number("limit"), try parameters.one("cursor")
        )
        let wait = try wait(&parameters)
        let call = try QueryCall(
            query, parameters.rest(), spelled: .names, beside: ["after", "as-of", "limit", "cursor", "wait"],
            limit: limit, cursor: cursor, past: asOf, in: catalogue)
        if asOf != nil, !after.isEmpty {
            throw Problem(.badRequest, "after and as-of exclude each other", field: "after")
        }
        return Asked(call: call, after: after, asOf: asOf, wait: wait)
    }

    /// What a query answers, and how far its view has come.
    typealias Answer = (call: QueryCall, page: Page, asOf: [TopicPartition: Offset])

    /// Asks a query with the parameters of a request.
    func ask(_ query: Query, _ parameters: inout ParameterReader) async throws -> Answer {
        try await answer(asked(query, &parameters))
    }

    private func answer(_ asked: Asked) async throws -> Answer {
        if let asOf = asked.asOf {
            let (page, seen) = try await past(asked.call, reading("as-of") { try AsOf.parse(asOf, now: now()) })
            return (asked.call, page, seen)
        }
        let (page, seen) = try await present(asked.call, after: asked.after, within: asked.wait)
        return (asked.call, page, seen)
    }

    /// The domain of a query, by its name.
    func domain(of query: Query) -> String {
        catalogue.domain(ofQuery: query.name) ?? ""
    }

    private func present(
        _ call: QueryCall, after: [EventPlace], within patience: Duration
    ) async throws -> (Page, [TopicPartition: Offset]) {
        let wait = try ViewWait(
            for: after.map { ($0.partition, $0.offset) }, of: call.query.name, call.projection, within: patience)
        return try await wait.page(of: call.projection, in: views, on: log, call.answering(at: now()))
    }

    private func past(_ call: QueryCall, _ past: AsOf) async throws -> (Page, [TopicPartition: Offset]) {
        guard let slot = pasts.take() else {
            throw Problem(
                .unavailable, "\(GatewayLimits.pasts) views of the past are being folded; come again later",
                retryAfter: GatewayLimits.retryAfter)
        }
        defer { withExtendedLifetime(slot) {} }
        let extent = try await past.resolve(call.projection, log)
        let view = try await Past(ofLive: call.projection, on: log, views, snapshots)
        let answering = call.answering(at: extent.moment)
        let (page, origin) = try await withScratchFolder { folder in
            try await view.read(
                extent, scratch: folder, complain: { logger.notice("\($0)") }, answering)
        }
        return (page, origin.shown)
    }

    private func reply(
        _ call: QueryCall, _ page: Page, _ asOf: [TopicPartition: Offset], _ type: MediaType, _ request: GatewayRequest
    ) -> Reply {
        let shown = shownOffsets.text(of: asOf, call.projection.name)
        let text =
            switch type {
            case .csv: CSVLine.text(page)
            case .lines: JSON.rows(page.rows, page.columns).map { $0 + "\n" }.joined()
            default: call.json(page, asOf: shown) + "\n"
            }
        let tag = Self.tag(text, shown, type)
        var reply = Reply(200, type, .text(text))
        if let asked = request.fields[.ifNoneMatch], Self.isTag(tag, in: asked) { reply = Reply(304) }
        describe(&reply, tag: tag, asOf: shown, next: call.next(of: page))
        return reply
    }

    /// Whether a request's field `If-None-Match` means an answer with a tag.
    static func isTag(_ tag: String, in asked: String) -> Bool { asked == "*" || asked.contains(tag) }

    /// Sets the fields of what a view answers.
    func describe(_ reply: inout Reply, tag: String, asOf: String, next: String?) {
        reply.fields[.eTag] = tag
        reply.fields[.cacheControl] = "no-cache"
        reply.fields[.vary] = "Accept"
        reply.fields[.asOf] = asOf
        if let next { reply.fields[.nextCursor] = next }
    }

    /// Of what is answered and how far it has come: an answer may change with the clock alone.
    private static func tag(_ text: String, _ asOf: String, _ type: MediaType) -> String {
        var text = text
        return text.withUTF8 { tag(UnsafeRawBufferPointer($0), asOf, type) }
    }

    static func tag(_ text: UnsafeRawBufferPointer, _ asOf: String, _ type: MediaType) -> String {
        var hash = FNV1a()
        for part in [type.rawValue, asOf] {
            var part = part
            part.withUTF8 { hash.add(UnsafeRawBufferPointer($0)) }
        }
        hash.add(text)
        return "\"\(String(hash.value, radix: 16))\""
    }

    /// `GET /views`.
    func queries(_ request: GatewayRequest) throws -> Reply {
        try request.parameters.end("/views")
        let all = catalogue.queries.filter { request.access.allows(.query, in: domain(of: $0)) }.map { query in
            JSON.object([
                ("query", JSON.string(query.name)), ("about", JSON.string(query.about)),
                ("projection", JSON.string(query.projection)), ("page", String(query.page)),
                (
                    "parameters",
                    JSON.array(
                        query.parameters.map { parameter in
                            JSON.object([
                                ("name", JSON.string(parameter.name)), ("type", JSON.string(parameter.kind.rawValue)),
                                ("required", String(parameter.required)), ("about", JSON.string(parameter.about)),
                                ("values", JSON.array(parameter.allowed.map(JSON.string))),
                            ])
                        })
                ),
            ])
        }
        return .json(JSON.object([("queries", JSON.array(all))]))
    }
}
