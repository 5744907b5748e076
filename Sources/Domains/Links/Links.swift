internal import EventModel
internal import SwiftProtobuf

extension LinksCommand: Envelope {}
extension LinksEvent: Envelope {}
extension LinksClicks: Envelope {}

/// Links: a code leads to one URL, and never to another.
///
/// The aggregate is a place in the space of codes. A URL of an owner has its bucket, which gives its codes away; an alias has its
/// own, together with all that looks like it. So one writer decides who has a code, and a code tells whose it is to decide.
enum Links: Decider {
    typealias Command = LinksCommand
    typealias Event = LinksEvent
    typealias Rejection = LinksRefusal

    static var initial: LinkGroup { LinkGroup() }
    /// 1: titles and tags differ by bytes, and no link is restored to an end before its beginning. 2: a host that says it is encoded is.
    static let rules = 2

    static func key(of command: Command.Kind) -> String {
        switch command {
        case .shortenURL(let c): key(owner: c.owner, url: c.url)
        case .claimAlias(let c): key(of: c.alias)
        case .changeLink(let c): key(of: c.code)
        case .deleteLink(let c): key(of: c.code)
        case .expireLink(let c): key(of: c.code)
        case .restoreLink(let c): key(of: c.code)
        }
    }

    static func key(of event: Event.Kind) -> String { key(of: code(of: event)) }

    static func code(of event: Event.Kind) -> String {
        switch event {
        case .linkCreated(let e): e.code
        case .linkChanged(let e): e.code
        case .linkExpired(let e): e.code
        case .linkDeleted(let e): e.code
        case .linkRestored(let e): e.code
        }
    }

    /// The aggregate that a code belongs to.
    static func key(of code: String) -> String {
        CodeSpace.bucket(of: code).map(key(bucket:)) ?? "alias:\(Words.skeleton(code))"
    }
    private static func key(bucket: UInt64) -> String { "bucket:\(bucket)" }
    private static func key(owner: String, url: String) -> String {
        key(bucket: CodeSpace.bucket(owner: owner, url: (try? WebURL(url).text) ?? url))
    }

    static func decide(
        _ command: Command.Kind, id: String, on state: LinkGroup, at now: Timestamp
    ) throws(Rejection) -> [Event.Kind] {
        switch command {
        case .shortenURL(let c): try shorten(c, id: id, on: state, at: now)
        case .claimAlias(let c): try claim(c, on: state, at: now)
        case .changeLink(let c): try change(c, on: state, at: now)
        case .deleteLink(let c): try delete(c, on: state)
        case .expireLink(let c): try expire(c, on: state, at: now)
        case .restoreLink(let c): try restore(c, on: state, at: now)
        }
    }

    private static func shorten(
        _ c: LinksShortenUrl, id: String, on state: LinkGroup, at now: Timestamp
    ) throws(Rejection) -> [Event.Kind] {
        let (url, terms) = ((try? WebURL(c.url).text) ?? c.url, Terms(c.terms))
        if !c.fresh, let (code, link) = state.link(of: c.owner, to: url), !isOver(link, at: now) {
            if terms == Terms() || terms == link.terms { return [] }
            throw .otherTerms(url: url, code: code)
        }
        try check(terms, at: now)
        let bucket = CodeSpace.bucket(owner: c.owner, url: url)
        guard state.links.count < LinksLimits.ofBucket,
            let code = CodeSpace.draw(
                in: bucket, id: id, used: state.links.count, isFree: { state.links[$0] == nil })
        else { throw .bucketFull }
        return [created(code, c.owner, url, terms)]
    }

    private static func claim(
        _ c: LinksClaimAlias, on state: LinkGroup, at now: Timestamp
    ) throws(Rejection) -> [Event.Kind] {
        let (url, terms) = ((try? WebURL(c.url).text) ?? c.url, Terms(c.terms))
        if let link = state.links[c.alias] {
            let isSame = link.owner == c.owner && link.url == url && link.terms == terms && link.stage == .active
            if isSame { return [] }
            throw .aliasTaken(alias: c.alias)
        }
        if let like = state.links.keys.min() { throw .aliasLooksTaken(alias: c.alias, like: like) }
        try check(terms, at: now)
        return [created(c.alias, c.owner, url, terms)]
    }

    private static func change(
        _ c: LinksChangeLink, on state: LinkGroup, at now: Timestamp
    ) throws(Rejection) -> [Event.Kind] {
        let link = try own(c.code, of: c.owner, in: state)
        if link.stage == .deleted { throw .linkDeleted(code: c.code) }
        if link.stage == .expired || isOver(link, at: now) { throw .linkExpired(code: c.code) }
        let terms = Terms(c.terms)
        if terms == link.terms { return [] }
        try check(terms, at: now)
        return [.linkChanged(.with { ($0.code, $0.owner, $0.terms) = (c.code, c.owner, terms.message) })]
    }

    private static func delete(_ c: LinksDeleteLink, on state: LinkGroup) throws(Rejection) -> [Event.Kind] {
        if try own(c.code, of: c.owner, in: state).stage == .deleted { return [] }
        return [.linkDeleted(.with { ($0.code, $0.owner) = (c.code, c.owner) })]
    }

    private static func expire(
        _ c: LinksExpireLink, on state: LinkGroup, at now: Timestamp
    ) throws(Rejection) -> [Event.Kind] {
        guard let link = state.links[c.code] else { throw .unknownLink(code: c.code) }
        if link.stage != .active { return [] }
        if !isOver(link, at: now) { throw .notDue(code: c.code, until: link.terms.until) }
        return [.linkExpired(.with { ($0.code, $0.owner) = (c.code, link.owner) })]
    }

    private static func restore(
        _ c: LinksRestoreLink, on state: LinkGroup, at now: Timestamp
    ) throws(Rejection) -> [Event.Kind] {
        let link = try own(c.code, of: c.owner, in: state)
        let ended = link.stage == .active ? link.terms.until : link.since
        if link.stage == .active, !isOver(link, at: now) { return [] }
        if let ended, ended + LinksLimits.restore < now {
            throw .tooLate(code: c.code, until: ended + LinksLimits.restore)
        }
        var terms = link.terms
        if c.hasActiveUntil {
            terms.until = Timestamp(c.activeUntil)
        } else if let until = terms.until, until <= now {
            terms.until = nil
        }
        if let from = terms.from, let until = terms.until, until <= from {
            throw .untilBeforeFrom(from: from, until: until)
        }
        try check(terms, at: now)
        return [.linkRestored(.with { ($0.code, $0.owner, $0.terms) = (c.code, c.owner, terms.message) })]
    }

    private static func own(_ code: String, of owner: String, in state: LinkGroup) throws(Rejection) -> LinkGroup.Link {
        guard let link = state.links[code] else { throw .unknownLink(code: code) }
        if link.owner != owner { throw .notOwner(code: code) }
        return link
    }

    /// A link whose time is over is over, whether its timer has come or not.
    static func isOver(_ link: LinkGroup.Link, at now: Timestamp) -> Bool {
        link.terms.until.map { $0 <= now } ?? false
    }

    private static func check(_ terms: Terms, at now: Timestamp) throws(Rejection) {
        if let until = terms.until, until <= now { throw .untilOver(until: until) }
    }

    private static func created(_ code: String, _ owner: String, _ url: String, _ terms: Terms) -> Event.Kind {
        .linkCreated(.with { ($0.code, $0.owner, $0.url, $0.terms) = (code, owner, url, terms.message) })
    }

    static func admit(_ event: Event.Kind, on state: LinkGroup, at now: Timestamp) throws(Rejection) {
        let expected: [Event.Kind]
        switch event {
        case .linkCreated(let e) where CodeSpace.bucket(of: e.code) == nil:
            let claim = LinksClaimAlias.with {
                ($0.alias, $0.owner, $0.url, $0.terms) = (e.code, e.owner, e.url, e.terms)
            }
            expected = try Self.claim(claim, on: state, at: now)
        case .linkCreated(let e): return try admit(e, on: state, at: now)
        case .linkChanged(let e):
            let change = LinksChangeLink.with { ($0.code, $0.owner, $0.terms) = (e.code, e.owner, e.terms) }
            expected = try Self.change(change, on: state, at: now)
        case .linkExpired(let e): expected = try expire(.with { $0.code = e.code }, on: state, at: now)
        case .linkDeleted(let e): expected = try delete(.with { ($0.code, $0.owner) = (e.code, e.owner) }, on: state)
        case .linkRestored(let e):
            let restore = LinksRestoreLink.with {
                ($0.code, $0.owner) = (e.code, e.owner)
                if e.terms.hasActiveUntil { $0.activeUntil = e.terms.activeUntil }
            }
            expected = try Self.restore(restore, on: state, at: now)
        }
        if expected != [told(event)] { throw .notWhatFollows(code: code(of: event)) }
    }

    /// The event as this program would write it: terms that are left out are none.
    private static func told(_ event: Event.Kind) -> Event.Kind {
        switch event {
        case .linkCreated(var e):
            e.terms = Terms(e.terms).message
            return .linkCreated(e)
        case .linkChanged(var e):
            e.terms = Terms(e.terms).message
            return .linkChanged(e)
        case .linkRestored(var e):
            e.terms = Terms(e.terms).message
            return .linkRestored(e)
        case .linkExpired, .linkDeleted: return event
        }
    }

    /// A code that another bus drew: it must be one that this bucket gives away, and be free.
    private static func admit(_ e: LinksLinkCreated, on state: LinkGroup, at now: Timestamp) throws(Rejection) {
        if state.links[e.code] != nil { throw .aliasTaken(alias: e.code) }
        guard CodeSpace.bucket(of: e.code) == CodeSpace.bucket(owner: e.owner, url: e.url), CodeSpace.isFit(e.code),
            state.links.count < LinksLimits.ofBucket, e.terms == Terms(e.terms).message
        else { throw .notWhatFollows(code: e.code) }
        try check(Terms(e.terms), at: now)
    }

    static func spellings(of name: String, in state: LinkGroup) -> [String] {
        state.links.values.map(\.owner).filter { $0 == name }
    }

    static func evolve(_ state: inout LinkGroup, with event: Event.Kind, at time: Timestamp) {
        switch event {
        case .linkCreated(let e):
            state.links[e.code] = LinkGroup.Link(
                owner: e.owner, url: e.url, terms: Terms(e.terms), since: time,
                isAlias: CodeSpace.bucket(of: e.code) == nil)
        case .linkChanged(let e): state.links[e.code]?.terms = Terms(e.terms)
        case .linkExpired(let e): state.links[e.code]?.set(.expired, at: time)
        case .linkDeleted(let e): state.links[e.code]?.set(.deleted, at: time)
        case .linkRestored(let e):
            state.links[e.code]?.terms = Terms(e.terms)
            state.links[e.code]?.set(.active, at: time)
        }
    }

    static func nextDue(_ state: LinkGroup) -> Timestamp? {
        state.links.values.lazy.filter { $0.stage == .active }.compactMap(\.terms.until).min()
    }

    static func due(_ state: LinkGroup, by now: Timestamp) -> [DueCommand<Command.Kind>] {
        let due = state.links.compactMap { code, link -> DueCommand<Command.Kind>? in
            guard link.stage == .active, let until = link.terms.until, until <= now else { return nil }
            return DueCommand(.expireLink(.with { $0.code = code }), id: "expire:\(code):\(until.rawValue)", due: until)
        }
        return due.sorted { ($0.due, $0.id) < ($1.due, $1.id) }
    }
}

extension LinkGroup.Link {
    fileprivate mutating func set(_ stage: LinkGroup.Stage, at time: Timestamp) { (self.stage, since) = (stage, time) }
}
