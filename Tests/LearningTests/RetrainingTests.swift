import EventModel
import Foundation
import Learning
import Testing

@testable import learn

/// The committed models come of the data and the seed alone.
struct RetrainingTests {
    private static let data = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appending(path: "../../../shared/data").standardizedFileURL.path
    private static func has(_ path: String) -> Bool { FileManager.default.fileExists(atPath: data + path) }

    @Test(.enabled(if: has("/bots/twitter_bots_2232.csv.gz"), "the labelled accounts are not in ../shared/data"))
    func `the first trees of fake accounts are learned again as they are committed`() throws {
        var training = AccountFigures.small
        training.trees = 4
        let model = AccountFigures.train(try LabelledAccount.all(Self.data), training) { $0.facts.features }
        let committed = FakeAccounts.model
        #expect(model.base == committed.base)
        #expect(model.features.elementsEqual(committed.features.prefix(model.features.count)))
        #expect(model.thresholds.elementsEqual(committed.thresholds.prefix(model.thresholds.count)))
        #expect(model.leaves.elementsEqual(committed.leaves.prefix(model.leaves.count)))
    }

    @Test(.enabled(if: has("/follow_graph/lastfm_asia_edges.csv.gz"), "the follow graphs are not in ../shared/data"))
    func `learned suggestions find more of what was held out than common neighbours do`() throws {
        let edges = try Reading.edges(
            Self.data + "/follow_graph/lastfm_asia_edges.csv.gz", mutual: true, header: true)
        let held = HeldOut(edges.pairs, users: edges.users, mutual: true, seed: 18)
        let (learned, plain) = try held.users(150, seed: 18).reduce(into: (0, 0)) { sums, user in
            let wanted = held.wanted[user] ?? []
            let best = try Suggester.learned.suggestions(for: user, in: held.graph, limit: 10) { _ in false }
            sums.0 += best.count { wanted.contains($0.user) }
            let found = try Suggester.learned.candidates(for: user, in: held.graph) { _ in false }.found
            let common = found.sorted { ($1.why.commonFollowees, $0.user) < ($0.why.commonFollowees, $1.user) }
            sums.1 += common.prefix(10).count { wanted.contains($0.user) }
        }
        #expect(learned > plain)
        // What is held out is not in what is known.
        #expect(held.wanted.allSatisfy { user, wanted in wanted.isDisjoint(with: held.graph.followees[Int(user)]) })
    }
}
