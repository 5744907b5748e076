import DomainTesting
import EventModel
import Testing

@testable import AccountsDomain

@Suite("The views of accounts")
struct AccountsViewsTests {
    private let story: [AccountFact] = [
        .registered, .opened("s1"), .opened("s2", until: 3600), .closed("s1"), .password("c2"),
        .opened("s3", by: "c2"), .profileChanged(Profile(firstName: "Anna").changed("ann")), .closed("s3"),
        .deactivated,
    ]
    private func fold(_ facts: [AccountFact]) throws -> Fold {
        try .everyWay(Domain.accounts.projection("accounts.people"), records(facts))
    }

    @Test func `show what a user says of themselves last, without what checks the password`() throws {
        let page = try fold(story).ask(.accounts, "accounts.profile", ["user": "ANN"])
        #expect(
            page.rows == [
                ["ann", "Anna", "", "", "", "", Value(noon), Value(after(360)), Value(after(480))]
            ])
        #expect(!page.columns.map(\.name).contains("credential"))
        #expect(try fold(story).ask(.accounts, "accounts.profile", ["user": "bob"]).rows == [])
    }
    @Test func `show sessions, the newest first, page by page`() throws {
        let fold = try fold(story)
        let rows = try fold.ask(.accounts, "accounts.sessions", ["user": "ann"]).rows
        #expect(rows.map { $0[1] } == ["s3", "s2", "s1"])
        #expect(rows.map { $0[4] } == [Value(after(420)), .null, Value(after(180))])
        let first = try fold.ask(.accounts, "accounts.sessions", ["user": "ann"], limit: 2)
        let rest = try fold.ask(.accounts, "accounts.sessions", ["user": "ann"], from: first.next)
        #expect(first.rows + rest.rows == rows && rest.next == nil)
    }
    @Test func `show closed sessions as long as a token of theirs could hold`() throws {
        let fold = try fold(story)
        let closed = try fold.ask(.accounts, "accounts.closed").rows
        #expect(closed.map { [$0[0], $0[2]] } == [["s1", "ann"], ["s3", "ann"]])
        #expect(try fold.ask(.accounts, "accounts.closed", now: after(aDayAfter)).rows.count == 2)
        #expect(try fold.ask(.accounts, "accounts.closed", now: after(aDayAfter + 121)).rows == [])
    }
    @Test func `show which credential holds`() throws {
        #expect(try fold([.registered]).ask(.accounts, "accounts.credential", ["user": "ann"]).rows == [["c0", .null]])
        #expect(
            try fold(story).ask(.accounts, "accounts.credential", ["user": "ann"]).rows == [["c2", Value(after(480))]])
    }
    @Test func `count logins by the hour`() throws {
        let rows = try fold(story).ask(.accounts, "accounts.logins", ["user": "ann"]).rows
        #expect(rows == [[Value(noon), 3]])
        #expect(Int64(-1).dividedDown(by: 3600) == -1 && Int64(3600).dividedDown(by: 3600) == 1)
    }
}
