import EventModel
import Foundation
import Learning

/// A graph of which a tenth of the edges is held out. All that is known of it is what is kept.
struct HeldOut {
    var graph: NumberedGraph
    /// By user, whom they follow in what was held out.
    var wanted: [Int32: Set<Int32>] = [:]
    var kept: [(Int32, Int32)] = []

    init(_ edges: [(Int32, Int32)], users: Int, mutual: Bool, seed: UInt64) {
        var random = SeededRandom(seed)
        var order = edges
        order.shuffle(using: &random)
        let out = order.prefix(order.count / 10)
        let gone = Set(out.map { UInt64($0.0) << 32 | UInt64($0.1) })
        kept = edges.filter { !gone.contains(UInt64($0.0) << 32 | UInt64($0.1)) }
        graph = NumberedGraph(users: users, edges: Edges.directed(kept, mutual: mutual))
        for (a, b) in Edges.directed(Array(out), mutual: mutual) { wanted[a, default: []].insert(b) }
    }

    /// Some of those of whom something was held out.
    func users(_ most: Int, seed: UInt64) -> [Int32] {
        var users = wanted.keys.sorted()
        var random = SeededRandom(seed, 7)
        users.shuffle(using: &random)
        return Array(users.prefix(most))
    }

    func hasTies(_ user: Int32) -> Bool {
        !graph.followees[Int(user)].isEmpty || !graph.followers[Int(user)].isEmpty
    }
}

struct GraphSet {
    var name: String
    var edges: Edges

    static func all(_ data: String) throws -> [GraphSet] {
        let folder = data + "/follow_graph/"
        return try [
            GraphSet(
                name: "lastfm",
                edges: Reading.edges(folder + "lastfm_asia_edges.csv.gz", mutual: true, header: true)),
            GraphSet(
                name: "retweets", edges: Reading.edges(data + "/tweets/higgs_activity_time.txt.gz", kind: "RT")),
            GraphSet(name: "ego-twitter", edges: Reading.edges(folder + "konect_ego_twitter.tsv.gz")),
            GraphSet(name: "munmun", edges: Reading.edges(folder + "munmun_twitter_social.tsv.gz")),
            GraphSet(
                name: "github",
                edges: Reading.edges(folder + "musae_github_mutual_follow.csv.gz", mutual: true, header: true)),
        ]
    }
}

/// Learns the weights and measures suggestions.
enum SuggestionFigures {
    static let seed: UInt64 = 18
    /// Users of each graph that are learned from, and that are measured.
    static let learners = 1500
    static let measured = 2000

    static func run(_ data: String) throws {
        var training = PairwiseTraining()
        var sets: [(name: String, held: HeldOut)] = []
        for set in try GraphSet.all(data) {
            let held = HeldOut(set.edges.pairs, users: set.edges.users, mutual: set.edges.isMutual, seed: seed)
            try learn(held, users: set.edges.users, mutual: set.edges.isMutual, into: &training)
            sets.append((set.name, held))
        }
        var random = SeededRandom(seed, 5)
        let weights = training.weights(using: &random).map { ($0 * 1e4).rounded() / 1e4 }
        print("weights, in the order of Suggester.featureNames:")
        for (name, weight) in zip(Suggester.featureNames, weights) { print("            \(weight),  // \(name)") }
        print(
            weights == Suggester.learned.weights
                ? "they are those of Suggester.learned" : "they DIFFER from Suggester.learned")
        print("recall@10, a tenth of the edges held out, seed \(seed), up to \(measured) users of each graph")
        print(
            "graph users learned with-ties common-neighbours adamic-adar resource-allocation popularity a-second p99-ms"
        )
        for (name, held) in sets { try measure(name, held, Suggester(weights: weights)) }
    }

    /// Of the edges that are kept a tenth is held out again, and the rest is what pairs are learned on.
    static func learn(_ held: HeldOut, users: Int, mutual: Bool, into training: inout PairwiseTraining) throws {
        let inner = HeldOut(held.kept, users: users, mutual: mutual, seed: seed + 1)
        var random = SeededRandom(seed, 3)
        let suggester = Suggester(weights: [])
        for user in inner.users(learners, seed: seed + 2) {
            let wanted = inner.wanted[user] ?? []
            let (found, own) = try suggester.candidates(for: user, in: inner.graph) { _ in false }
            let worse = found.filter { !wanted.contains($0.user) }
            for better in found where wanted.contains(better.user) {
                for _ in 0..<10 {
                    guard let other = worse.randomElement(using: &random) else { continue }
                    training.add(
                        better: Suggester.features(of: better.why, own), worse: Suggester.features(of: other.why, own))
                }
            }
        }
    }

    static func measure(_ name: String, _ held: HeldOut, _ suggester: Suggester) throws {
        let users = held.users(measured, seed: seed)
        let ranks: [(Acquaintance) -> Double] = [
            { $0.followedByFollowees + $0.commonFollowees + $0.followedByFollowers + $0.followersFollowed },
            { $0.adamicAdar }, { $0.resourceAllocation }, { Double($0.degrees.followers) },
        ]
        var sums = [Double](repeating: 0, count: ranks.count)
        var (learned, tied) = (0.0, 0.0)
        // Of the processor, so that what else the machine does does not count.
        var times: [Double] = []
        for user in users {
            let wanted = held.wanted[user] ?? []
            func recall(_ best: [Int32]) -> Double {
                Double(best.prefix(10).count { wanted.contains($0) }) / Double(wanted.count)
            }
            let start = clock()
            let best = try suggester.suggestions(for: user, in: held.graph, limit: 10) { _ in false }
            // A million a second, by POSIX.
            times.append(Double(clock() - start) / 1000)
            let one = recall(best.map(\.user))
            learned += one
            if held.hasTies(user) { tied += one }
            let found = try suggester.candidates(for: user, in: held.graph) { _ in false }.found
            for (i, rank) in ranks.enumerated() {
                sums[i] += recall(
                    found.map { ($0.user, rank($0.why)) }.sorted { ($1.1, $0.0) < ($0.1, $1.0) }.map(\.0))
            }
        }
        let count = Double(users.count)
        let figures = [learned / count, tied / Double(users.count { held.hasTies($0) })] + sums.map { $0 / count }
        times.sort()
        let speed = [count / times.reduce(0, +) * 1000, times[times.count * 99 / 100]]
        print(
            name, users.count, figures.map { String(format: "%.3f", $0) }.joined(separator: " "),
            String(format: "%.0f %.1f", speed[0], speed[1]))
    }
}
