internal import EventModel

/// The path by which others read a profile: see docs/rest.md.
enum AccountsRoutes {
    static let all = [profile.refusingOtherParameters]

    private static let after = OptionalParameter<String>(
        "after", "what the view must have seen: TOPIC/PARTITION@OFFSET")

    private static let profile = Route(
        .get, "/api/users/{username}", "What a user says of themselves.", isOpen: true, taking: [after],
        replying: [
            Route.Reply(200, "The profile."), Route.Reply(404, "Nobody has the name.", "application/problem+json"),
            Route.Reply(410, "The user has left.", "application/problem+json"),
        ]
    ) { request, bus in
        let user = request.variables["username"] ?? ""
        do throws(Malformed) {
            try Accounts.check(user: user)
        } catch {
            throw Malformed("username", error.why)
        }
        let answer = try await bus.query(
            "accounts.profile", ["user": .text(Accounts.name(user))], after: request.places(after), limit: 1,
            cursor: nil)
        guard let row = answer.rows.first, let object = answer.objects.first else {
            throw RouteProblem(.notFound, "nobody is registered as \(Accounts.name(user))")
        }
        if row.last != .null { throw RouteProblem(.gone, "\(Accounts.name(user)) has left") }
        return .json(object + "\n")
    }
}
