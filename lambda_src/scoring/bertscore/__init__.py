"""BERTScore with the numbers of bert-score 0.3.13, computed without padding.

Start at :class:`scoring.bertscore.scorer.BertScorer`. Nothing here needs AWS.
"""
