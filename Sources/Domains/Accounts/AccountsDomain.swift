public import EventModel

extension Domain {
    /// Who there is: names, profiles, passwords that others keep, and sessions.
    public static let accounts = Domain(
        "accounts", "Users, their profiles and their sessions.", descriptor: accountsDescriptor
    )
    .deciding(Accounts.self, key: "user", remembering: .seconds(31 * 86_400))
    .naming(
        actor: "user", of: "RegisterUser", "ChangeProfile", "ChangePassword", "OpenSession", "CloseSession",
        "DeactivateUser"
    )
    .naming(
        actor: "user", of: "UserRegistered", "ProfileChanged", "PasswordChanged", "SessionOpened", "SessionClosed",
        "UserDeactivated"
    )
    .signingIn(
        SignInRules(
            registering: "RegisterUser", changingPassword: "ChangePassword", opening: "OpenSession",
            credential: "accounts.credential", closed: "accounts.closed")
    )
    .projecting(People.self)
    .routing(AccountsRoutes.all)
    .answering(profile, sessions, logins, credential, closed)
    .demonstrating(.accounts)
    .keeping(
        AccountsInvariants.eachEventMayFollow, AccountsInvariants.sessionsAreShown, AccountsInvariants.loginsAreCounted)

    private static let whose = RequiredParameter<String>("user", "the user's name")

    private static func user(_ arguments: Arguments) throws -> Value {
        let user = try arguments[whose]
        try Accounts.check(user: user)
        return .text(Accounts.name(user))
    }

    /// All of a table's columns but some, in another order.
    private static func columns(_ table: Table, _ names: [String]) -> (columns: [Column], positions: [Int]) {
        let positions = names.map { name in
            guard let position = table.columns.firstIndex(where: { $0.name == name }) else {
                preconditionFailure("\(table.name) has no column \(name)")
            }
            return position
        }
        return (positions.map { table.columns[$0] }, positions)
    }

    private static func page(_ scan: Scan, _ reader: any ViewReader, showing names: [String]) throws -> Page {
        let whole = try Page(of: scan, in: reader)
        let (columns, positions) = columns(scan.table, names)
        return Page(columns: columns, rows: whole.rows.map { row in positions.map { row[$0] } }, next: whole.next)
    }

    private static let profile = Query(
        "accounts.profile", "What a user says of themselves, and since when they are here.", of: "accounts.people",
        [whose]
    ) { arguments, reader in
        try page(
            Scan(People.profiles, equal: [user(arguments)]).page(arguments), reader,
            showing: [
                "user", "first_name", "last_name", "location", "interests", "about", "registered_at", "changed_at",
                "deactivated_at",
            ])
    }

    private static let sessions = Query(
        "accounts.sessions", "A user's sessions, the newest first.", of: "accounts.people", [whose]
    ) { arguments, reader in
        let scan = Scan(People.sessions, by: "opened", equal: [try user(arguments)], descending: true)
        return try page(
            scan.page(arguments), reader, showing: ["user", "session", "opened_at", "expires_at", "closed_at"])
    }

    private static let logins = Query(
        "accounts.logins", "In which hours a user signed in, and how often, the newest first.", of: "accounts.people",
        [whose]
    ) { arguments, reader in
        let scan = Scan(People.logins, equal: [try user(arguments)], descending: true).page(arguments)
        let found = try Page(of: scan, in: reader)
        return Page(
            columns: [Column("at", .timestamp, "when the hour begins"), Column("logins", .integer)],
            rows: found.rows.map { row in
                [.integer((row[People.Login.hour] ?? 0) * People.hour), row.value(People.Login.count)]
            }, next: found.next)
    }

    private static let credential = Query(
        "accounts.credential", "Under which name the store of credentials has what checks a user's password.",
        of: "accounts.people", [whose]
    ) { arguments, reader in
        try page(
            Scan(People.profiles, equal: [user(arguments)]).page(arguments), reader,
            showing: ["credential", "deactivated_at"])
    }

    private static let closed = Query(
        "accounts.closed", "Sessions that were closed before their time, which is still to come.",
        of: "accounts.people", [], page: 1000
    ) { arguments, reader in
        // Clocks may differ, and a token is taken for a while after its time.
        let since = Value(arguments.now - AccountsLimits.leeway)
        let scan = Scan(People.sessions, by: "closed", equal: [1], from: since)
        return try page(scan.page(arguments), reader, showing: ["session", "expires_at", "user"])
    }
}
