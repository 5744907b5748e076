internal import EventModel

extension Simulation {
    /// The shortest schedule found that breaks the same invariant: steps are left out by halves, quarters and so on
    /// (delta debugging: Zeller and Hildebrandt, 2002), then runs are made shorter, until nothing more can go or the time
    /// is over.
    func shorten(
        _ steps: [Step], seed: UInt64, breaking finding: Finding
    ) throws -> (steps: [Step], finding: Finding) {
        let deadline = ContinuousClock.now + shortening
        var best = (steps: steps, finding: finding)

        func stillBreaks(_ steps: [Step]) throws -> Bool {
            guard let found = try outcome(seed, steps).finding, found.invariant == finding.invariant else {
                return false
            }
            best = (steps, found)
            return true
        }

        var size = max(1, steps.count / 2)
        while ContinuousClock.now < deadline {
            var removed = false
            var at = 0
            while at < best.steps.count, ContinuousClock.now < deadline {
                let shorter = Array(best.steps[..<at] + best.steps[min(at + size, best.steps.count)...])
                if try stillBreaks(shorter) { removed = true } else { at += size }
            }
            if size > 1 {
                size /= 2
            } else if !removed {
                break
            }
        }
        for i in best.steps.indices {
            while case .run(let calls, let salt) = best.steps[i], calls > 1, ContinuousClock.now < deadline {
                var shorter = best.steps
                shorter[i] = .run(calls / 2, salt: salt)
                if try !stillBreaks(shorter) { break }
            }
        }
        return best
    }
}
