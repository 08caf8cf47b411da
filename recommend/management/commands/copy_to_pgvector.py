"""`manage.py copy_to_pgvector`: copy the garments' vectors into pgvector's tables, and check what it then finds."""

import os
import statistics
import time

import numpy as np
from django.core.management.base import BaseCommand, CommandError

from recommend.index import pgvector_table as tables
from recommend.index.base import EVERYTHING, Where
from recommend.index.brute import Brute, recall
from recommend.index.load import items, look, usual_length
from recommend.index.pgvector import PgVector
from recommend.locks import Lock, alone

SAMPLE, NEAREST = 50, 10
LEAST_RECALL = 0.9  # of each kind of search; below it the copy is not served


class Command(BaseCommand):
    help = "Copy the garments' vectors into pgvector's tables, compare with exact search, and serve the copy."

    def add_arguments(self, parser):
        parser.add_argument("--gently", action="store_true", help="let everything else on this machine go first")
        parser.add_argument("--sample", type=int, default=SAMPLE, help="garments to check with; 0 for no check")

    def handle(self, *, gently, sample, **options):
        if gently:
            os.nice(10)
        with alone(Lock.PGVECTOR) as copies:
            if not copies:
                raise CommandError("Another process is copying.")
            self._copy(sample)

    def _copy(self, sample: int) -> None:
        truth = look()  # before the rows are read: what changes meanwhile is followed afterwards
        dim = usual_length(truth.source) if truth.source else 0
        if not dim:
            raise CommandError("No garment has a vector yet: ./dev manage embed --now")
        tables.drop_unfinished()
        try:
            generation = tables.create(truth, dim)
        except tables.NoPgvector as reason:
            raise CommandError(str(reason))
        begin = time.perf_counter()
        count = tables.fill(generation, items(truth.source))
        copied = time.perf_counter()
        tables.add_indexes(generation)
        self.stdout.write(
            f"{count} garments of {truth.source.label} copied in {copied - begin:.1f} s, "
            f"indexed in {time.perf_counter() - copied:.1f} s."
        )
        if sample:
            self._check(PgVector(generation), sample)
        tables.serve(generation)
        self.stdout.write("Served from now on where RECOMMEND_INDEX is pgvector.")

    def _check(self, index: PgVector, sample: int) -> None:
        exact = Brute(index.source, (item for item in items(index.source) if tables.holds(item, index.dim)))
        for name, searches in self._searches(exact, sample).items():
            found, seconds = [], []
            for vector, where, own in searches:
                begin = time.perf_counter()
                hits = index.search(vector, NEAREST, where, {own})
                seconds.append(time.perf_counter() - begin)
                found.append(recall(hits, exact.search(vector, NEAREST, where, {own})))
            mean = statistics.mean(found)
            self.stdout.write(
                f"  {name}: recall@{NEAREST} {mean:.3f}, {1000 * statistics.median(seconds):.1f} ms "
                f"(longest {1000 * max(seconds):.1f} ms)"
            )
            if mean < LEAST_RECALL:
                raise CommandError(f"It finds too little: {mean:.2f} of the nearest. The copy is not served.")

    def _searches(self, exact: Brute, sample: int) -> dict[str, list]:
        """By name: vector, where and the garment itself, of garments drawn at random."""
        rng = np.random.default_rng(0)
        drawn = [exact.facts[place] for place in rng.permutation(len(exact))[:sample]]
        categories = sorted({item.key.category for item in drawn})

        def other(category):
            return categories[(categories.index(category) + 1) % len(categories)]

        kinds = {
            "of its type and gender": lambda key: Where(product_types=[key.product_type], genders=[key.gender]),
            "in another category": lambda key: Where(categories=[other(key.category)]),
            "in everything": lambda key: EVERYTHING,
        }
        return {
            name: [(exact.vector(item.garment_id), where(item.key), item.garment_id) for item in drawn]
            for name, where in kinds.items()
        }
