/// How good scores are, against labels.
package enum Measures {
    /// The chance that a score of what is so is above one of what is not, with ties as a half: the area under the receiver's
    /// operating characteristic, by ranks (Mann and Whitney 1947).
    package static func area(_ scores: [Double], _ labels: [Bool]) -> Double {
        let order = scores.indices.sorted { scores[$0] < scores[$1] }
        var ranks = 0.0
        var place = 0
        while place < order.count {
            var end = place
            while end < order.count, scores[order[end]] == scores[order[place]] { end += 1 }
            let rank = Double(place + end + 1) / 2
            for i in place..<end where labels[order[i]] { ranks += rank }
            place = end
        }
        let positives = Double(labels.count { $0 })
        let negatives = Double(labels.count) - positives
        return (ranks - positives * (positives + 1) / 2) / (positives * negatives)
    }
}
