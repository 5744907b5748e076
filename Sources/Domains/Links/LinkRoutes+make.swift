internal import EventModel
internal import Secrets
internal import SwiftProtobuf

extension LinkRoutes {
    /// Makes a link. Who asks again, under the same id or with the same words, is told of the link that is there.
    func make(_ request: RouteRequest, _ bus: any RouteBus) async throws -> RouteReply {
        guard case .json(let text) = request.body else { throw Malformed("body", "is missing") }
        var wish = try NewLink(text, subject: request.subject)
        if let why = policy.refusal(of: wish.url.text, asked: request.host) { throw Malformed("url", why) }
        if let password = wish.password {
            do {
                wish.terms.passwordHash = try await hash(password, of: wish, under: request[.idempotencyKey], bus)
            } catch is ScryptThreads.Busy {
                throw RouteProblem(.unavailable, "too many passwords are hashed; come again")
            }
        }
        let outcome: RouteOutcome
        do { outcome = try await send(wish, id: request[.idempotencyKey], bus) } catch let error as Malformed {
            throw Malformed(NewLink.member(error.field), error.why)
        }
        let places = try outcome.get()
        let code =
            if let made = try await code(madeAt: places, bus) {
                made
            } else {
                try await code(of: wish, at: request.now, bus)
            }
        return .json(
            """
            {"code":\(RouteAnswer.quoted(code)),"short":\(RouteAnswer.quoted("\(base(request))/\(code)")),"url":\(RouteAnswer.quoted(wish.url.text))}
            """, status: places.isEmpty ? 200 : 201)
    }

    private func send(_ wish: NewLink, id: String?, _ bus: any RouteBus) async throws -> RouteOutcome {
        if let alias = wish.alias {
            let command = LinksClaimAlias.with {
                ($0.owner, $0.alias, $0.url, $0.terms) = (wish.owner, alias, wish.url.text, wish.terms.message)
            }
            return try await bus.send(command, id: id, within: nil)
        }
        let command = LinksShortenUrl.with {
            ($0.owner, $0.url, $0.terms, $0.fresh) = (wish.owner, wish.url.text, wish.terms.message, wish.isFresh)
        }
        return try await bus.send(command, id: id, within: nil)
    }

    /// The code that the command itself has made; nil where it made none, for its link was there.
    private func code(madeAt places: [TopicPartition: Offset], _ bus: any RouteBus) async throws -> String? {
        for (partition, offset) in places {
            if case .linkCreated(let e)? = try await bus.event(LinksEvent.self, at: offset, in: partition)?.kind {
                return e.code
            }
        }
        return nil
    }

    /// The code of the link that was there already.
    private func code(of wish: NewLink, at now: Timestamp, _ bus: any RouteBus) async throws -> String {
        if let alias = wish.alias { return alias }
        guard let code = try await own(wish, at: now, bus)?[Link.code] else {
            throw RouteProblem(.unavailable, "the link is there, and no view shows it yet; ask again")
        }
        return code
    }

    /// The oldest link of the owner to the URL that leads there now. Of several, one that is as was asked for goes first.
    private func own(_ wish: NewLink, at now: Timestamp, _ bus: any RouteBus) async throws -> Row? {
        let led = try await links(of: wish, bus).filter { row in
            row[Link.stage] == LinkGroup.Stage.active.rawValue && row[Link.until].map { $0 > now } ?? true
        }
        func place(_ row: Row) -> (Int, Timestamp, String) {
            (LinkTable.has(wish.terms, row) ? 0 : 1, row[Link.created] ?? 0, row[Link.code] ?? "")
        }
        return led.min { place($0) < place($1) }
    }

    /// The newest links of the owner to the URL, as the view has them.
    private func links(of wish: NewLink, _ bus: any RouteBus) async throws -> [Row] {
        try await bus.query("links.of-url", ["owner": .text(wish.owner), "url": .text(wish.url.text)]).rows
    }

    /// A hash of the password: that of the link that is there, where it is of the same password, so that who asks again asks for the
    /// same. Else the salt of a request with an id follows from the id, for the same reason.
    private func hash(
        _ password: String, of wish: NewLink, under id: String?, _ bus: any RouteBus
    ) async throws -> String {
        let known: Row?
        if let alias = wish.alias {
            known = try await bus.query("links.resolve", ["code": .text(alias)]).rows.first
        } else if wish.isFresh {
            known = nil
        } else {
            known = try await links(of: wish, bus).first { $0[Link.passwordHash] != nil }
        }
        if let hash = known?[Link.passwordHash], known?[Link.owner] == wish.owner,
            try await SlowHash.matches(password, hash)
        {
            return hash
        }
        return try await SlowHash.make(
            password, saltOf: id.map { "links\n\(wish.owner)\n\(wish.alias ?? "")\n\(wish.url.text)\n\($0)" })
    }
}
