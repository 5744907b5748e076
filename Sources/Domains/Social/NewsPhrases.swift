internal import EventModel

/// What a headline may trend by: runs of one to three of its words, as people would look for them.
///
/// Words stand between spaces, in lower case, without signs around them and without `'s`. No phrase goes across a sign: of `Apple: a new
/// phone` none is `apple a new`. None begins or ends with a word that stands in any headline, as `the` or `says`.
enum NewsPhrases {
    /// Words of the longest phrase.
    static let longest = 3
    /// Words of a headline that are looked at, from its beginning.
    static let looked = 30

    /// Each once, in the order of the headline.
    static func phrases(of title: String) -> [String] {
        var (found, known): ([String], Set<String>) = ([], [])
        for run in runs(of: title) {
            for start in run.indices where !common.contains(run[start]) {
                for end in start..<min(start + longest, run.count) where !common.contains(run[end]) {
                    let phrase = run[start...end].joined(separator: " ")
                    if isTelling(phrase), known.insert(phrase).inserted { found.append(phrase) }
                }
            }
        }
        return found
    }

    /// A letter alone or a number tells nobody what it is about.
    private static func isTelling(_ phrase: String) -> Bool {
        phrase.unicodeScalars.count > 1 && phrase.unicodeScalars.contains { $0.properties.isAlphabetic }
    }

    /// Words that follow each other with nothing but a space between.
    private static func runs(of title: String) -> [[String]] {
        var runs: [[String]] = [[]]
        func isSign(_ scalar: Unicode.Scalar) -> Bool {
            !scalar.properties.isAlphabetic && scalar.properties.numericType == nil
        }
        for piece in title.split(whereSeparator: \.isWhitespace).prefix(looked) {
            let scalars = Array(Check.composed(piece.lowercased()).unicodeScalars)
            let head = scalars.prefix(while: isSign)
            let tail = scalars.dropFirst(head.count).reversed().prefix(while: isSign)
            if head.contains(where: { !"#$@".unicodeScalars.contains($0) }) { runs.append([]) }
            let word = bare(scalars[head.count..<(scalars.count - tail.count)])
            if word.isEmpty || word.unicodeScalars.count > SearchLimits.word {
                runs.append([])
            } else {
                runs[runs.count - 1].append(word)
            }
            if !tail.isEmpty { runs.append([]) }
        }
        return runs
    }

    private static func bare(_ word: ArraySlice<Unicode.Scalar>) -> String {
        let text = TweetText.string(word)
        for ending in ["'s", "\u{2019}s"] where text.hasSuffix(ending) && text != ending {
            return String(text.dropLast(2))
        }
        return text
    }

    /// Words of English that say nothing of what a headline is about.
    private static let common = Set(
        """
        a about after again against all also am among an and another any are around as at back be because been before behind being \
        between but by can can't could day days did do does doesn't don't down during each even ever every first for from get gets \
        getting go goes going good got had has have he her here him his how i if in into is isn't it its just last like made make \
        makes may me might more most much must my near need needs never new next no not now of off on one only or other our out \
        over own per put puts say says said see sees set sets she should since so some still such take takes than that the their \
        them then there these they this those three through to today too top two under until up upon us use used via video vs was \
        watch way we week were what when where which while who whom whose why will with within without won't would year years yes \
        yet you your
        """.split(separator: " ").map(String.init))
}
