import EventModel
import Learning
import Testing

struct SuggesterTests {
    /// 0 follows 1 and 2; both follow 3, 1 alone follows 4; 5 follows 0; 6 is followed by nobody near.
    private let graph = NumberedGraph(
        users: 8, edges: [(0, 1), (0, 2), (1, 3), (2, 3), (1, 4), (5, 0), (7, 6)])

    private func suggested(_ user: Int32, without: Set<Int32> = []) -> [Suggestion<Int32>] {
        (try? Suggester.learned.suggestions(for: user, in: graph, limit: 10) { without.contains($0) }) ?? []
    }

    @Test func `who is followed by more of one's followees comes first, and why is told`() throws {
        let found = suggested(0)
        let (three, four) = (
            try #require(found.firstIndex { $0.user == 3 }), try #require(found.firstIndex { $0.user == 4 })
        )
        #expect(three < four)
        let why = found[three].why
        #expect(why.followedByFollowees == 2 && why.commonFollowees == 0 && why.degrees == Degrees(followers: 2))
        // Each of the two between them has three ties, or two.
        #expect(abs(why.resourceAllocation - (1.0 / 3 + 1.0 / 2)) < 1e-12)
        #expect(found.first { $0.user == 5 }?.why.followsBack == 1)
    }

    @Test func `walks of three and four ties count what share of them ends at a candidate`() throws {
        let path = NumberedGraph(users: 5, edges: [(0, 1), (1, 2), (2, 3), (3, 4)])
        let found = try Suggester.learned.suggestions(for: 0, in: path, limit: 10) { _ in false }
        let (two, three) = (try #require(found.first { $0.user == 2 }), try #require(found.first { $0.user == 3 }))
        // Half of the walks go on from 1 to 2, half of those to 3, half back to 1 and then half to 2.
        #expect(three.why.walksOfThree == 0.25 && three.why.walksOfFour == 0)
        #expect(two.why.walksOfThree == 0 && two.why.walksOfFour == 0.125)
        #expect(found.allSatisfy { $0.score.isFinite })
    }

    /// A store may have ties of a user and not yet how many.
    private struct Uncounted: FollowGraph {
        let graph: NumberedGraph
        func ties(of user: Int32, atMost limit: Int) -> Ties<Int32> {
            var ties = graph.ties(of: user, atMost: limit)
            ties.degrees = Degrees()
            return ties
        }
        func degrees(of users: [Int32]) -> [Degrees] { users.map { _ in Degrees() } }
        func popular(atMost limit: Int) -> [Int32] { [] }
    }

    @Test func `scores are numbers also where degrees are not known`() throws {
        let found = try Suggester.learned.suggestions(for: 0, in: Uncounted(graph: graph), limit: 10) { _ in false }
        #expect(!found.isEmpty && found.allSatisfy { $0.score.isFinite })
    }

    @Test func `oneself, followees and who is excluded are never suggested`() {
        let found = Set(suggested(0, without: [3]).map(\.user))
        #expect(found.isDisjoint(with: [0, 1, 2, 3]))
        #expect(found.contains(4))
    }

    @Test func `who has no ties is suggested the popular`() { #expect(suggested(6).map(\.user).contains(3)) }

    @Test func `suggestions of random graphs never have oneself, followees or the excluded, and repeat`() throws {
        for seed in UInt64(1)...20 {
            print("seed \(seed)")
            var random = SeededRandom(seed)
            let users = random.number(2...60)
            var edges: Set<[Int32]> = []
            for _ in 0..<random.number(0...300) {
                let (a, b) = (Int32(random.number(0...users - 1)), Int32(random.number(0...users - 1)))
                if a != b { edges.insert([a, b]) }
            }
            let pairs = edges.map { ($0[0], $0[1]) }.sorted { ($0.0, $0.1) < ($1.0, $1.1) }
            let graph = NumberedGraph(users: users, edges: pairs)
            let hidden = Set((0..<Int32(users)).filter { _ in random.chance(20) })
            // Also where the bounds leave most out.
            for bounds in [
                SuggestionBounds(), SuggestionBounds(neighbours: 2, ties: 3, alike: 1, candidates: 4, popular: 2),
            ] {
                let suggester = Suggester(weights: Suggester.learned.weights, bounds: bounds)
                for user in 0..<Int32(users) {
                    let followees = Set(graph.followees[Int(user)])
                    func once() throws -> [Suggestion<Int32>] {
                        try suggester.suggestions(for: user, in: graph, limit: 10) {
                            hidden.contains($0) || followees.contains($0)
                        }
                    }
                    let found = try once().map(\.user)
                    #expect(
                        !found.contains(user) && followees.isDisjoint(with: found) && hidden.isDisjoint(with: found))
                    #expect(Set(found).count == found.count && found.count <= 10)
                    #expect(try found == once().map(\.user))
                }
            }
        }
    }
}
