package import EventModel
internal import MillraceBus

/// What may be done, in a domain or in all.
package enum Scope: String, Sendable, Hashable, CaseIterable {
    /// Send commands.
    case send
    /// Send commands that judge others.
    case review
    /// Produce events.
    case produce
    /// Ask views.
    case query
    /// Read topics.
    case replay
    /// See workers and what waits, and have it handled or dropped.
    case operate
    /// Send and produce what names somebody else as who acts.
    case actForOthers = "act-for-others"
}

/// Who asks, and what he may do.
package struct Access: Sendable, Hashable {
    /// A scope in a domain; nil is in all of them.
    package struct Grant: Sendable, Hashable {
        package var scope: Scope
        package var domain: String?
        package init(_ scope: Scope, in domain: String? = nil) { (self.scope, self.domain) = (scope, domain) }

        /// As tokens have it: `tickets:send`, and `*:send` in all domains.
        ///
        /// - Returns: nil where the text is none: what others mean with it is nothing here.
        package init?(_ text: String) {
            let sides = text.split(separator: ":", omittingEmptySubsequences: false)
            guard sides.count == 2, !sides[0].isEmpty, let scope = Scope(rawValue: String(sides[1])) else { return nil }
            self.init(scope, in: sides[0] == "*" ? nil : String(sides[0]))
        }

        package var text: String { "\(domain ?? "*"):\(scope.rawValue)" }
    }

    /// Nil where nobody has said who he is.
    package var subject: String?
    package var grants: Set<Grant>
    /// Until when; nil is for ever.
    package var expires: Timestamp?
    /// The token's own identifier: of a session, its name.
    package var token: String?

    package init(subject: String?, grants: Set<Grant>, expires: Timestamp? = nil, token: String? = nil) {
        (self.subject, self.grants, self.expires, self.token) = (subject, grants, expires, token)
    }

    /// Everything, of nobody in particular: where no tokens are asked for.
    package static let everything = Access(subject: nil, grants: Set(Scope.allCases.map { Grant($0) }))

    /// - Parameter domain: Nil is what belongs to no domain, for which a grant in one is not enough.
    package func allows(_ scope: Scope, in domain: String?) -> Bool {
        grants.contains(Grant(scope)) || (domain != nil && grants.contains(Grant(scope, in: domain)))
    }

    /// What sending a command takes.
    package static func grant(toSend command: String, to domain: Domain) -> Grant {
        Grant(domain.isForReviewers(command) ? .review : .send, in: domain.name)
    }

    /// Who sends to a domain; nil where nobody was asked who he is.
    func acting(in domain: String) -> Acting? {
        subject.map { Acting(subject: $0, isForOthers: allows(.actForOthers, in: domain)) }
    }
}

/// Decides who asks, for each request, before anything else is looked at.
package protocol Authority: Sendable {
    /// Whether whoever asks must say who he is.
    var asksForTokens: Bool { get }
    /// - Parameter token: Nil where the request has none.
    /// - Throws: ``Problem`` where it does not say who asks, or says it wrongly.
    func access(token: String?) throws(Problem) -> Access
    /// Reads again what it goes by.
    ///
    /// - Throws: where that cannot be taken; what it went by stays.
    func reload() throws
    /// Whether it can make tokens, and does not only take them.
    var makesTokens: Bool { get }
    /// A token for somebody who has shown a password.
    ///
    /// - Throws: ``Problem`` where it makes none.
    func token(_ subject: String, scopes: [String], id: String, until expires: Timestamp) throws -> String
}

extension Authority {
    package var makesTokens: Bool { false }
    package func token(_ subject: String, scopes: [String], id: String, until expires: Timestamp) throws -> String {
        throw Problem(.conflict, "no tokens are made here")
    }
}

/// Lets everybody do everything. It guards an address that only this machine reaches, or one that was opened with
/// `--insecure`.
package struct OpenAuthority: Authority {
    package init() {}
    package var asksForTokens: Bool { false }
    package func access(token: String?) throws(Problem) -> Access { .everything }
    package func reload() {}
}
