internal import EventModel
internal import SwiftProtobuf

/// What a human says of an account. It belongs to the account, and outranks the model.
extension Social {
    enum Verdict: String, Codable, Sendable { case cleared, fake }

    static func judge(
        _ account: String, by reviewer: String, _ verdict: Verdict, on state: State
    ) throws(Rejection) -> [Event.Kind] {
        if handle(account) == handle(reviewer) { throw .selfVerdict }
        if state.verdict == verdict { return [] }
        let account = handle(account)
        return switch verdict {
        case .cleared: [.accountCleared(.with { ($0.account, $0.reviewer) = (account, reviewer) })]
        case .fake: [.fakeConfirmed(.with { ($0.account, $0.reviewer) = (account, reviewer) })]
        }
    }

    static func admit(
        verdict: Verdict, of account: String, by reviewer: String, on state: State
    ) throws(Rejection) {
        if account == handle(reviewer) { throw .selfVerdict }
        if state.verdict == verdict { throw .unchanged("\(account) is judged so") }
    }

    static func check(account: String, reviewer: String, isFact: Bool) throws(Malformed) {
        try check(handle: account, "account")
        if isFact, account != handle(account) {
            throw Malformed("account", "is \(account); a fact has handles in lower case")
        }
        try check(handle: reviewer, "reviewer")
    }
}
