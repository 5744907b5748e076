import EventModel
import Learning
import Testing

struct TextClassifierTests {
    private func trained() -> TextClassifier {
        var random = SeededRandom(1)
        let examples = (0..<20).flatMap { _ in
            [TextTraining.Example("cats purr softly", 0), TextTraining.Example("dogs bark loudly", 1)]
        }
        return TextTraining().train(examples, classes: ["cats", "dogs"], using: &random)
    }

    @Test func `tells classes apart, and says none where it knows no word`() {
        let model = trained()
        #expect(model.label("my cats purr", atLeast: 0.6)?.name == "cats")
        #expect(model.label("the DOGS bark!", atLeast: 0.6)?.name == "dogs")
        #expect(model.label("rain tomorrow", atLeast: 0) == nil)
        #expect(model.label("", atLeast: 0) == nil)
        #expect(model.label("cats dogs", atLeast: 0.99) == nil)
    }

    @Test func `chances add up to one`() { #expect(abs(trained().chances("cats bark").reduce(0, +) - 1) < 1e-9) }

    @Test func `is the same after it was text, and other text is none`() {
        let model = trained()
        #expect(TextClassifier(model.description) == model)
        for text in ["", "a,b", "a,b 1 1", "a,b x 1,1", "a,b 1 1,1 AA", "a,b 1 1,1 AAAA!!"] {
            #expect(TextClassifier(text) == nil, "\(text)")
        }
    }

    @Test func `words leave out links, names and signs`() {
        #expect(
            TextFeatures.words(of: "RT @ann: Apple's #iPhone 6 sells! http://t.co/x") == [
                "rt", "apple", "iphone", "sells",
            ])
    }

    @Test func `a word that is new is known by its pieces, and what is unknown makes less sure`() {
        let model = trained()
        #expect(model.label("barking", atLeast: 0.5)?.name == "dogs")
        let (short, long) = (model.chances("dogs bark"), model.chances("dogs bark xyzzy plugh frobnicate"))
        #expect(long[1] < short[1] && long[1] > 0.5)
    }

    @Test func `the model of moments knows business from sports`() {
        #expect(Moments.label("Stocks fall as Fed raises interest rates, bank shares drop")?.name == "business")
        let chances = Moments.model.chances("Packers vs. Cowboys | NFL Week 5 Game Highlights")
        #expect(chances.max() == chances[Moments.classes.firstIndex(of: "sports") ?? 0])
        #expect(Moments.label("zzzz") == nil)
    }
}
