// How a method's common space looks: what tells a collapse from learning, for every method alike.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "avbench/batch.h"

namespace avbench::stages {

// All take embeddings [N, E], N >= 2, and scale them to unit rows.
//
// Deviation of each dimension over the samples, averaged, times sqrt(E): 1 if they point everywhere
// alike, 0 if all are equal. Section 4.1, arXiv:2011.10566.
double relative_deviation(const Tensor& embeddings);
// Effective rank: exp of the entropy of the singular values' shares; 0 for all zeros. Of the rows
// as they are. Eq. 1, arXiv:2210.02885.
double rank_me(const Tensor& embeddings);
// log of the mean over pairs of exp(-2 |x - y|^2): 0 if all are equal, -4 at most apart. Section
// 4.1.2, arXiv:2005.10242.
double uniformity(const Tensor& embeddings);
// Mean of |x - y|^2 over rows of two sets that belong together, from 0 to 4. The same section.
double alignment(const Tensor& video, const Tensor& audio);

struct EmbeddingMetrics {
  std::vector<std::pair<std::string, double>> metrics;  // "video_deviation", ... by name
  std::string collapse;  // why it counts as collapsed; empty: it does not
};

// Collapsed: the deviation of a modality is below 0.05, that is, the mean cosine of two samples is
// above 0.9975; or an embedding is not finite. [N, E] each, row i of the same sample; no metrics if
// N < 2.
EmbeddingMetrics embedding_metrics(const Tensor& video, const Tensor& audio);

}  // namespace avbench::stages
