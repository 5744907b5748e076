extension Suggester {
    /// What `learn suggestions` made, with the seed 18, of follow graphs that others published: LastFM Asia and GitHub (mutual
    /// follows, SNAP and MUSAE), Twitter's of KONECT (ego-twitter and munmun, CC BY-SA) and retweets about the Higgs boson (SNAP). Weights
    /// are numbers of these alone; nothing of a graph is in them. Figures: docs/learned.md.
    package static let learned = Suggester(weights: [
        0.2535,  // log followed by followees
        -0.9305,  // log common followees
        -0.1427,  // log followed by followers
        1.7232,  // log followers followed
        -2.1973,  // log Adamic-Adar
        4.9564,  // root resource allocation
        4.9765,  // root by users alike
        3.6733,  // follows back
        0.3814,  // log followers
        -0.0995,  // log followees
        0.6324,  // common a tie
        1.716,  // cosine
    ])
}
