/// What may be done, in a domain or in all.
package enum Scope: String, Sendable, Hashable, CaseIterable {
    /// Send commands.
    case send
    /// Produce events.
    case produce
    /// Ask views.
    case query
    /// Read topics.
    case replay
    /// See workers and what waits, and have it handled or dropped.
    case operate
}

/// Who asks, and what he may do.
package struct Access: Sendable, Hashable {
    /// A scope in a domain; nil is in all of them.
    package struct Grant: Sendable, Hashable {
        package var scope: Scope
        package var domain: String?
        package init(_ scope: Scope, in domain: String? = nil) { (self.scope, self.domain) = (scope, domain) }
    }

    /// Nil where nobody has said who he is.
    package var subject: String?
    package var grants: Set<Grant>

    package init(subject: String?, grants: Set<Grant>) { (self.subject, self.grants) = (subject, grants) }

    /// Everything, of nobody in particular: where no tokens are asked for.
    package static let everything = Access(subject: nil, grants: Set(Scope.allCases.map { Grant($0) }))

    /// - Parameter domain: Nil is what belongs to no domain, for which a grant in one is not enough.
    package func allows(_ scope: Scope, in domain: String?) -> Bool {
        grants.contains(Grant(scope)) || (domain != nil && grants.contains(Grant(scope, in: domain)))
    }
}

/// Decides who asks, for each request, before anything else is looked at.
package protocol Authority: Sendable {
    /// - Parameter authorization: The request's field `Authorization`.
    /// - Throws: ``Problem`` where it does not say who asks, or says it wrongly.
    func access(authorization: String?) throws(Problem) -> Access
}

/// Lets everybody do everything. It guards an address that only this machine reaches, or one that was opened with
/// `--insecure`.
package struct OpenAuthority: Authority {
    package init() {}
    package func access(authorization: String?) throws(Problem) -> Access { .everything }
}
