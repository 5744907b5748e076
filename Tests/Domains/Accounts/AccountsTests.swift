import DomainTesting
import EventModel
import SwiftProtobuf
import Testing

@testable import AccountsDomain

@Suite("An account")
struct AccountsTests {
    @Test func `has its name whatever the case it was asked for in`() {
        let upper = AccountCommand.register("ANN")
        #expect(AccountLife().when(upper, id: "c0") == .success([.registered]))
        #expect(Accounts.key(of: upper) == "ann")
        #expect(AccountLife(.registered).when(upper) == .failure(.nameTaken("ann")))
    }
    @Test func `is given once, also to somebody who says the same of himself`() {
        #expect(AccountLife(.registered).when(.register, id: "c0") == .success([]))
        #expect(AccountLife(.registered).when(.register, id: "another") == .failure(.nameTaken("ann")))
        #expect(AccountLife(.registered).admitting(.registered) == .nameTaken("ann"))
    }
    @Test(
        arguments: [
            "", "an n", "änn", "аnn", "ann.", "an\u{301}n", "\u{212a}ate", "ｕｓｅｒ", "a\u{200b}b", "x:y",
            "abcdefghijklmnopqrstu",
        ])
    func `has a name of ASCII, so none that only looks like another`(name: String) {
        #expect(throws: Malformed.self) { try Accounts.check(.register(name)) }
    }
    @Test func `once left has a name that nobody takes again, not even by the first command`() {
        let left = AccountLife(.registered, .deactivated)
        #expect(left.when(.register, id: "c0") == .failure(.nameTaken("ann")))
        #expect(left.when(.register("Ann")) == .failure(.nameTaken("ann")))
        #expect(left.when(.deactivate) == .success([]))
        #expect(left.when(.open("s1")) == .failure(.deactivated("ann")))
        #expect(left.when(.profile) == .failure(.deactivated("ann")))
        #expect(left.when(.change()) == .failure(.deactivated("ann")))
        #expect(left.admitting(.opened("s1")) == .deactivated("ann"))
    }
    @Test func `that is nobody's does nothing`() {
        for command in [.profile, .change(), .open(), .close("s1"), .deactivate] as [AccountCommand] {
            #expect(AccountLife().when(command) == .failure(.unknownUser("ann")))
        }
    }
    @Test func `says something else of itself once`() {
        var other = annsProfile
        other.interests = ["tea"]
        let changed = AccountFact.profileChanged(other.changed("ann"))
        #expect(AccountLife(.registered).when(.profile(other)) == .success([changed]))
        #expect(AccountLife(.registered).when(.profile) == .success([]))
        #expect(AccountLife(.registered, changed).when(.profile(other)) == .success([]))
        #expect(AccountLife(.registered).admitting(.profiled) == .unchanged)
    }
    @Test(
        arguments: [["tea", "tea"], ["a,b"], [""], ["caf\u{65}\u{301}"], Array(repeating: "x", count: 21)])
    func `has interests that are words, each once`(interests: [String]) {
        #expect(throws: Malformed.self) { try Accounts.check(.profile(Profile(interests: interests))) }
    }
}

@Suite("A session")
struct SessionTests {
    private let ann = AccountLife(.registered)

    @Test func `is opened for a day, or as long as is said`() {
        #expect(ann.when(.open("s1")) == .success([.opened("s1")]))
        #expect(ann.when(.open("s1", seconds: 60)) == .success([.opened("s1", until: 60)]))
        #expect(ann.when(.open(), id: "c7") == .success([.opened("c7")]))
        #expect(AccountLife(.registered, .opened("s1")).when(.open("s1")) == .success([]))
        for seconds in [-1, 59, 2_592_001] as [Int64] {
            #expect(throws: Malformed.self) { try Accounts.check(.open("s1", seconds: seconds)) }
        }
    }
    @Test func `needs the credential that holds when it is decided`() {
        #expect(ann.when(.open("s1", by: "c9")) == .failure(.staleCredential("ann")))
        // The password was changed between its check and the decision.
        let changed = AccountLife(.registered, .password("c2"))
        #expect(changed.when(.open("s1", by: "c0")) == .failure(.staleCredential("ann")))
        #expect(changed.when(.open("s1", by: "c2")) == .success([.opened("s1", by: "c2")]))
        #expect(changed.admitting(.opened("s1", by: "c0")) == .staleCredential("ann"))
    }
    @Test func `that was closed is not opened again while a token may have its name`() {
        let closed = AccountLife(.registered, .opened("s1"), .closed("s1"))
        #expect(closed.when(.open("s1")) == .failure(.sessionClosed("s1")))
        #expect(closed.when(.close("s1")) == .success([]))
        #expect(closed.when(.open("s1"), at: aDayAfter) == .success([.opened("s1", until: 2 * aDayAfter)]))
    }
    @Test func `that ran out is closed by nothing`() {
        let open = AccountLife(.registered, .opened("s1"))
        #expect(open.when(.close("s1"), at: aDayAfter - 1) == .success([.closed("s1")]))
        #expect(open.when(.close("s1"), at: aDayAfter) == .success([]))
        #expect(open.when(.close("s2")) == .failure(.unknownSession("s2", user: "ann")))
        #expect(open.admitting(.closed("s1"), at: aDayAfter) == .unknownSession("s1", user: "ann"))
        #expect(open.admitting(.closed("s1", until: 5)) == .otherExpiry)
    }
    @Test func `ends when the password is changed, but for the one that changed it`() {
        let open = AccountLife(.registered, .opened("s1"), .opened("s2"), .opened("s3"), .closed("s3"))
        #expect(
            open.when(.change(keeping: "s2"), id: "c2") == .success([.closed("s1"), .password("c2")]))
        #expect(open.when(.change(), id: "c2") == .success([.closed("s1"), .closed("s2"), .password("c2")]))
        #expect(open.when(.change(), id: "c0") == .success([]))
        #expect(open.when(.change(proved: "c9")) == .failure(.staleCredential("ann")))
        #expect(open.admitting(.password("c2")) == .sessionsOpen(2))
    }
    @Test func `ends when the user leaves`() {
        let open = AccountLife(.registered, .opened("s1"), .opened("s2"))
        #expect(open.when(.deactivate) == .success([.closed("s1"), .closed("s2"), .deactivated]))
        #expect(open.admitting(.deactivated) == .sessionsOpen(2))
    }
    @Test func `over the most that are open ends the one that would run out first`() {
        let most = (0..<AccountsLimits.openSessions).map { AccountFact.opened("s\($0)", until: 100 + Int64($0)) }
        let full = AccountLife([.registered] + most)
        #expect(full.when(.open("x")) == .success([.closed("s0", until: 100), .opened("x")]))
        #expect(full.when(.open("x"), at: 100) == .success([.opened("x", until: 100 + aDayAfter)]))
        #expect(full.admitting(.opened("x")) == .sessionLimit)
    }
    @Test func `over the most that are known is refused, so that no state grows for ever`() {
        let known = (0..<AccountsLimits.knownSessions).flatMap {
            [AccountFact.opened("s\($0)"), .closed("s\($0)")]
        }
        let full = AccountLife([.registered] + known)
        #expect(full.when(.open("x")) == .failure(.sessionLimit))
        #expect(full.when(.open("x"), at: aDayAfter) == .success([.opened("x", until: 2 * aDayAfter)]))
    }
}
