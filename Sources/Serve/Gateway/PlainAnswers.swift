internal import EventModel
internal import Foundation
internal import HTTPTypes
internal import MillraceBus
internal import NIOCore

/// Answers to plain requests, given as bytes on the thread that reads the connection.
///
/// What is answered, and to whom, is what ``GatewayResponder`` answers. Whatever is not plain goes the longer ways: the fields of
/// ``PlainHead``, parameters with escapes or of other kinds than texts, other media types than JSON, and refusals.
struct PlainAnswers: Sendable {
    /// What one connection keeps at hand. It is used by its thread alone.
    final class Connection {
        let peer: GatewayContext
        fileprivate var bucket: Rates.Bucket?
        /// A host that was looked at, and may be asked.
        fileprivate var host: String?
        fileprivate var view: PlainView?
        private var date: (second: Int, text: String) = (0, "")
        fileprivate var series: [(template: String, method: String, status: Int, series: GatewayMetrics.Series)] = []

        init(_ peer: GatewayContext) { self.peer = peer }

        func date(_ field: DateField) -> String {
            let second = time(nil)
            if date.second != second { date = (second, field.text(at: second)) }
            return date.text
        }
    }

    let responder: GatewayResponder
    let date: DateField
    /// By the path that asks for it. Empty where whoever asks must say who he is.
    private let views: [String: PlainView]
    private let routes: [PlainRoute?]
    /// By the path that each is sent to. Empty where whoever asks must say who he is.
    let commands: [String: Catalogue.Found]
    let accepted: PreparedReply
    private let (page, cutPage, unchanged, cutUnchanged, redirect):
        (
            PreparedReply, PreparedReply, PreparedReply, PreparedReply, PreparedReply
        )
    var around: GatewayEnvironment { responder.around }

    init(_ around: GatewayEnvironment, _ date: DateField) {
        let responder = GatewayResponder(around: around)
        (self.responder, self.date) = (responder, date)
        let isOpen = !around.settings.authority.asksForTokens
        views = isOpen ? PlainView.all(of: around) : [:]
        commands = isOpen ? PlainCommand.all(of: around) : [:]
        routes = around.routes.quickRoutes.map { $0.flatMap { PlainRoute($0.domain, $0.route, around) } }
        func prepared(_ reply: Reply, _ places: [PreparedReply.Place]) -> PreparedReply {
            var reply = reply
            responder.protect(&reply)
            return PreparedReply(reply, places)
        }
        func view(_ reply: Reply, isCut: Bool) -> Reply {
            var reply = reply
            around.describe(
                &reply, tag: PreparedReply.mark(.tag), asOf: PreparedReply.mark(.asOf),
                next: isCut ? PreparedReply.mark(.next) : nil)
            return reply
        }
        var taken = Reply(200, .json, .none)
        taken.fields[.idempotencyKey] = PreparedReply.mark(.id)
        accepted = prepared(taken, [.id, .length, .date])
        let (found, same) = (Reply(200, .json, .none), Reply(304))
        page = prepared(view(found, isCut: false), [.tag, .asOf, .length, .date])
        cutPage = prepared(view(found, isCut: true), [.tag, .asOf, .next, .length, .date])
        unchanged = prepared(view(same, isCut: false), [.tag, .asOf, .date])
        cutUnchanged = prepared(view(same, isCut: true), [.tag, .asOf, .next, .date])
        redirect = PreparedReply(
            Self.redirect(responder, to: PreparedReply.mark(.location)), [.location, .length, .date])
    }

    /// - Returns: nil where it goes a longer way, as if it came only then.
    func answer(_ head: PlainHead, _ connection: Connection) -> ByteBuffer? {
        let start = ContinuousClock.now
        if head.target.hasPrefix(PlainView.folder) {
            if views.isEmpty { return nil }
            return view(head, connection, start)
        }
        return around.routes.hasQuick ? route(head, connection, start) : nil
    }

    /// Lets a request in that was made well.
    func admits(_ head: PlainHead, _ connection: Connection, _ start: ContinuousClock.Instant) -> Bool {
        if head.host == nil || head.host != connection.host {
            guard (try? responder.checkHost(head.host)) != nil else { return false }
            connection.host = head.host
        }
        return around.rates.take(connection.peer.address, at: start, keeping: &connection.bucket) == nil
    }

    func note(
        _ head: PlainHead, _ connection: Connection, _ template: String, _ status: Int, _ start: ContinuousClock.Instant
    ) {
        if around.settings.logsAccess {
            var seen = GatewayResponder.Seen(head, connection.peer)
            (seen.name, seen.status, seen.start) = (template, status, start)
            responder.note(seen)
            return
        }
        let took = ContinuousClock.now - start
        for known in connection.series
        where known.status == status && known.template == template && known.method == head.method {
            known.series.note(took)
            return
        }
        let series = around.metrics.series(template, head.method, status)
        // There are few templates, and fewer statuses of each.
        if connection.series.count < 16 { connection.series.append((template, head.method, status, series)) }
        series.note(took)
    }
}

// MARK: Views

extension PlainAnswers {
    private func view(
        _ head: PlainHead, _ connection: Connection, _ start: ContinuousClock.Instant
    ) -> ByteBuffer? {
        guard let (view, values) = asked(head.target, connection), !view.long.isLong(at: start),
            head.accept == nil || (try? MediaType.chosen(of: [.json, .lines, .csv], accept: head.accept)) == .json,
            admits(head, connection, start)
        else { return nil }
        let call = QueryCall(view.query, of: view.projection, values)
        guard let (rows, asOf) = around.pageNow(call, view.long) else {
            around.rates.giveBack(connection.peer.address)
            return nil
        }
        let next = call.next(of: rows)
        let (body, shown) = view.body(rows, next: next, asOf: asOf)
        let tag = body.withUnsafeBytes { GatewayEnvironment.tag($0, shown, .json) }
        let isSame = head.ifNoneMatch.map { GatewayEnvironment.isTag(tag, in: $0) } ?? false
        note(head, connection, PlainView.template, isSame ? 304 : 200, start)
        let date = connection.date(self.date)
        switch (isSame, next) {
        case (true, nil): return unchanged.bytes([tag, shown, date], body: nil)
        case (true, let next?): return cutUnchanged.bytes([tag, shown, next, date], body: nil)
        case (false, nil):
            return page.bytes([tag, shown, String(body.count), date], body: head.isHead ? nil : body)
        case (false, let next?):
            return cutPage.bytes([tag, shown, next, String(body.count), date], body: head.isHead ? nil : body)
        }
    }

    /// The view that a path names, and what it is asked.
    private func asked(_ target: String, _ connection: Connection) -> (PlainView, [String: Value])? {
        if target.utf8.count > GatewayLimits.targetBytes { return nil }
        let end = target.utf8.firstIndex(of: UInt8(ascii: "?")) ?? target.endIndex
        let view: PlainView
        if let last = connection.view, target[..<end] == last.path {
            view = last
        } else if let known = views[String(target[..<end])] {
            connection.view = known
            view = known
        } else {
            return nil
        }
        let query = end == target.endIndex ? target[end...] : target[target.utf8.index(after: end)...]
        return view.query.plainValues(query).map { (view, $0) }
    }
}

// MARK: Routes

extension PlainAnswers {
    private func route(
        _ head: PlainHead, _ connection: Connection, _ start: ContinuousClock.Instant
    ) -> ByteBuffer? {
        let path: [String]
        var parameters: [RequestTarget.Parameter] = []
        if let plain = around.routes.plainPath(head.target) {
            path = plain
        } else {
            guard let target = try? RequestTarget(head.target) else { return nil }
            (path, parameters) = (target.path, target.parameters)
        }
        guard let (number, variables) = around.routes.quick(path), let route = routes[number],
            admits(head, connection, start)
        else { return nil }
        let asked = RouteRequest(
            method: .get, isHead: head.isHead, variables: variables,
            parameters: parameters.map { NamedText($0.name, $0.value) }, subject: nil,
            address: connection.peer.address, host: head.host, isSecure: around.settings.isSecure, now: now(),
            field: { head.field($0) }, cookie: { head.cookie($0) })
        guard let given = try? route.quick(asked, route.bus), let bytes = bytes(given, head, connection.date(date))
        else {
            around.rates.giveBack(connection.peer.address)
            return nil
        }
        note(head, connection, route.template, given.status, start)
        return bytes
    }

    /// - Returns: nil where it is none that may be sent.
    private func bytes(_ given: RouteReply, _ head: PlainHead, _ date: String) -> ByteBuffer? {
        if given.status == 302, given.type == nil, given.text.isEmpty, given.fields.count == 1,
            given.fields[0].name == "Location", HTTPField.isValidValue(given.fields[0].value)
        {
            return redirect.bytes([given.fields[0].value, "0", date], body: nil)
        }
        guard var reply = try? Reply(given) else { return nil }
        if case .stream = reply.content { return nil }
        responder.protect(&reply)
        return PreparedReply.bytes(reply, isHead: head.isHead, date: date)
    }

    /// What protects browsers goes before where it leads.
    private static func redirect(_ responder: GatewayResponder, to location: String) -> Reply {
        var reply = Reply(302)
        responder.protect(&reply)
        reply.fields.append(HTTPField(name: .location, value: location))
        return reply
    }
}

/// A route that answers at once, and the bus as it reaches it for whoever asks.
private final class PlainRoute: Sendable {
    let template: String
    let quick: @Sendable (RouteRequest, any RouteBus) throws -> RouteReply?
    let bus: any RouteBus

    init?(_ domain: Domain, _ route: Route, _ around: GatewayEnvironment) {
        guard let quick = route.quick else { return nil }
        (template, self.quick) = (route.template, quick)
        bus = GatewayRouteBus(
            around: around, domain: domain, access: Access(subject: nil, grants: []), trace: nil)
    }
}
