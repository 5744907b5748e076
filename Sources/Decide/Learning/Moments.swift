/// Which part of life a short text is about: business, fun, technology, health, sports, news, or none of which it is sure.
///
/// The model is made by `learn moments` with the seed 18 of two sets: headlines with the classes business, entertainment, technology and health
/// (UCI News Aggregator, its first 6,366 and 10,885 of later ones; CC BY 4.0 at UCI), and titles of YouTube by their categories (trending in the US in autumn
/// 2017; CC0 on Kaggle), of which alone sports and news are. Figures: docs/learned.md.
package enum Moments {
    /// Below this chance a text is of no class.
    package static let threshold = 0.9

    package static let classes = model.classes

    package static let model: TextClassifier = {
        guard let model = TextClassifier(text) else { preconditionFailure("the model of moments cannot be read") }
        return model
    }()

    /// The class of a text and how sure it is; nil for none.
    package static func label(_ text: String) -> (name: String, chance: Double)? {
        model.label(text, atLeast: threshold)
    }
}
