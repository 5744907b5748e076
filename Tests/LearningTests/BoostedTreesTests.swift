import EventModel
import Learning
import Testing

struct BoostedTreesTests {
    /// Rows whose label is whether the first feature is above the second.
    private func rows(_ count: Int, seed: UInt64) -> (values: [[Float]], labels: [Float]) {
        var random = SeededRandom(seed)
        let values = (0..<count).map { _ in (0..<3).map { _ in Float.random(in: 0..<1, using: &random) } }
        return (values, values.map { $0[0] > $0[1] ? 1 : 0 })
    }

    private func trained(_ seed: UInt64) -> BoostedTrees {
        var (training, random) = (BoostedTraining(), SeededRandom(seed))
        training.trees = 40
        training.rate = 0.3
        let (values, labels) = rows(400, seed: 1)
        return training.train(values, labels, using: &random)
    }

    @Test func `learn what no single feature tells`() {
        let (values, labels) = rows(400, seed: 2)
        let model = trained(1)
        #expect(Measures.area(values.map { model.probability($0) }, labels.map { $0 == 1 }) > 0.97)
        #expect(Measures.area(values.map { Double($0[2]) }, labels.map { $0 == 1 }) < 0.65)
    }

    @Test func `what is no number goes the same way when it is learned and when it is scored`() {
        var (training, random) = (BoostedTraining(), SeededRandom(3))
        (training.trees, training.depth, training.rows, training.columns) = (30, 1, 1, 1)
        let values: [[Float]] = (0..<200).map { [$0 % 2 == 0 ? .nan : Float($0)] }
        let model = training.train(values, (0..<200).map { $0 % 2 == 0 || $0 > 150 ? 1 : 0 }, using: &random)
        #expect(model.probability([.nan]) > 0.6)
        #expect(model.probability([20]) < 0.4)
    }

    @Test func `the same seed gives the same trees, another gives others`() {
        #expect(trained(1) == trained(1))
        #expect(trained(1) != trained(2))
    }

    @Test func `are the same after they were text, and other text is none`() {
        let model = trained(1)
        #expect(BoostedTrees(model.description) == model)
        for text in ["", "4", "9 0", "2 0 1", "1 0 0 x 1 1", String(model.description.dropLast(3)) + " x"] {
            #expect(BoostedTrees(text) == nil, "\(text.prefix(20))")
        }
    }

    @Test func `the area under the curve has ties as a half`() {
        #expect(Measures.area([1, 2, 3, 4], [false, false, true, true]) == 1)
        #expect(Measures.area([1, 1, 1, 1], [false, false, true, true]) == 0.5)
        #expect(Measures.area([4, 3, 2, 1], [false, false, true, true]) == 0)
    }

    @Test func `reasons are the features that speak for it`() {
        let model = trained(1)
        let reasons = model.reasons([0.9, 0.1, 0.5], usual: [0.5, 0.5, 0.5], atMost: 3)
        #expect(Set(reasons.map(\.feature)).isSubset(of: [0, 1]) && !reasons.isEmpty)
    }

    @Test func `an account is scored with reasons that have its numbers`() {
        let fake = AccountFacts(
            handle: "free_bot_4711", followers: 1, followees: 900, tweets: 20000, likes: 0, years: 0.4)
        let real = AccountFacts(handle: "carla", followers: 5000, followees: 300, tweets: 4000, likes: 2500, years: 7)
        #expect(FakeAccounts.score(fake) > 0.9)
        #expect(FakeAccounts.score(real) < 0.2)
        #expect(!FakeAccounts.reasons(fake).isEmpty)
        #expect(AccountFacts.featureNames.count == fake.features.count)
    }
}
