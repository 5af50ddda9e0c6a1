"""Makes an encoder folder for the image: fetches an encoder, cuts it at a layer, and notes bert-score's numbers for it.

Output: `config.json`, `model.safetensors` and the tokenizer's files, as transformers writes them, of the layers up to
the chosen one; `encoder.json` with name, revision, layer, language, baseline and the SHA-256 of the weights; and
`parity.json`, texts and the scores that bert-score gives them, for `check_encoder.py`.
"""

# ruff: noqa: RUF001 (texts in other languages)

import argparse
import hashlib
import json
import re
import shutil
import sys
from pathlib import Path

import bert_score
import torch
from bert_score.utils import lang2model, model2layers
from huggingface_hub import HfApi, snapshot_download
from safetensors.torch import save_file
from transformers import AutoConfig, AutoModel, AutoTokenizer

from scoring.bertscore.encoder_folder import layers_of, open_encoder_folder

ENGLISH = (
    ("The parcel arrived damaged, so the customer asks for a refund.", "The customer wants the money back."),
    ("Anna and Tom agree to meet at the station at half past six.", "Tom and Anna will meet at 6:30 at the station."),
    ("They will go to the cinema.", "In 2024 revenue grew by 12.5 % to 3.4 million euros."),
    ("Restart the router and wait.", "Please restart the router; wait until the green light stops blinking."),
    ("It's what we'd call a café, isn't it?", "It is what one would call a coffee house - is it not?"),
    ("Yes.", "No."),
    ("", "Nothing was said."),
)
OTHER = (
    ("Das Paket kam beschädigt an; der Kunde möchte sein Geld zurück.", "Der Kunde verlangt eine Erstattung."),
    ("Kargo hasarlı geldi, müşteri İstanbul'dan para iadesi istiyor.", "Müşteri parasını geri istiyor."),
    ("包裹损坏了，客户要求退款。", "客户想要回他的钱。"),
    ("Посылка пришла повреждённой.", "Клиент просит вернуть деньги."),
)
LONG = ("The first half of a very long text that no encoder takes in whole. " * 60, "A short text.")


def main() -> None:
    """Make the folder from command-line arguments."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--encoder", default="", help="name on the hub, or a folder; default: bert-score's for LANGUAGE"
    )
    parser.add_argument("--revision", default="main", help="commit of the encoder's repository (default: %(default)s)")
    parser.add_argument("--layer", default="", help="default: bert-score's layer for the encoder")
    parser.add_argument("--language", default="en", type=str.lower, help="of the baseline (default: %(default)s)")
    parser.add_argument("--output", type=Path, required=True, help="the folder to write")
    arguments = parser.parse_args()
    name = arguments.encoder or lang2model[arguments.language]
    if not arguments.layer and name not in model2layers:
        sys.exit(f"ENCODER_LAYER: bert-score knows no layer for {name}; give the layer whose output is compared.")
    layer = int(arguments.layer or model2layers[name])
    if Path(name).is_dir():
        folder = Path(name).resolve()
        name = "/".join(folder.parts[-2:])
        prepare(folder, arguments.output, name=name, revision=None, layer=layer, language=arguments.language)
        return
    source = arguments.output.with_name("source")
    revision = fetch(name, arguments.revision, source)
    prepare(source, arguments.output, name=name, revision=revision, layer=layer, language=arguments.language)
    shutil.rmtree(source)


def fetch(name: str, revision: str, folder: Path) -> str:
    """Download an encoder from the Hugging Face hub, without the formats of other frameworks.

    Args:
        name: The encoder's name.
        revision: A commit, tag or branch.
        folder: Where to put it.

    Returns:
        The commit.
    """
    information = HfApi().model_info(name, revision=revision)
    files = [file.rfilename for file in information.siblings]
    weights = "model.safetensors" if "model.safetensors" in files else "pytorch_model*"
    patterns = ["*.json", "*.txt", "*.model", weights]
    snapshot_download(name, revision=information.sha, local_dir=folder, allow_patterns=patterns)
    return str(information.sha)


def prepare(source: Path, output: Path, *, name: str, revision: str | None, layer: int, language: str) -> None:
    """Write the encoder folder.

    Args:
        source: The encoder as downloaded.
        output: The folder to write; it must not exist.
        name: The encoder's name.
        revision: The commit it is of, if known.
        layer: The layer to cut at.
        language: The language of the baseline.

    Raises:
        SystemExit: the encoder has no such layer, or the output exists.
    """
    layers = layers_of(AutoConfig.from_pretrained(source).to_dict())
    if not 0 <= layer <= layers:
        sys.exit(f"ENCODER_LAYER: got {layer}; {name} has the layers 0 to {layers}.")
    if output.exists():
        sys.exit(f"--output: {output} exists; name a folder that does not.")
    output.mkdir(parents=True)
    AutoTokenizer.from_pretrained(source, use_fast=False).save_pretrained(output)
    AutoTokenizer.from_pretrained(source).save_pretrained(output)
    shutil.copy(source / "config.json", output / "config.json")
    packed = open_encoder_folder(output, layer=layer).packed
    if packed:
        cut(source, output, layer)
    else:
        AutoModel.from_pretrained(source).save_pretrained(output)
    weights = sorted(output.glob("*.safetensors"))
    about = {
        "name": name,
        "revision": revision,
        "layer": layer,
        "language": language,
        "packed": packed,
        "baseline": baseline(name, language, layer),
        "sha256": {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in weights},
    }
    (output / "encoder.json").write_text(json.dumps(about, indent=2) + "\n")
    (output / "parity.json").write_text(json.dumps(oracle(source, layer), ensure_ascii=False, indent=2) + "\n")
    print(f"{output}: {name} at layer {layer} of {layers}, {'packed' if packed else 'through bert-score'}")


def cut(source: Path, output: Path, layer: int) -> None:
    """Write only what the packed encoder reads: the embeddings and the layers up to the chosen one.

    Args:
        source: The whole encoder.
        output: The folder to write to.
        layer: The number of layers to keep.
    """
    model = AutoModel.from_pretrained(source, dtype=torch.float32)
    depth = "n_layers" if hasattr(model.config, "n_layers") else "num_hidden_layers"
    tensors = {}
    for tensor_name, tensor in model.state_dict().items():
        of_layer = re.match(r"(?:encoder|transformer)\.layer\.(\d+)\.", tensor_name)
        if tensor_name.startswith("embeddings.") or (of_layer and int(of_layer[1]) < layer):
            tensors[tensor_name] = tensor.contiguous()
    save_file(tensors, output / "model.safetensors", metadata={"format": "pt"})
    config = json.loads((output / "config.json").read_text())
    (output / "config.json").write_text(json.dumps({**config, depth: layer}, indent=2) + "\n")


def baseline(name: str, language: str, layer: int) -> list[float] | None:
    """Find bert-score's scores of unrelated texts.

    Args:
        name: The encoder's name.
        language: The texts' language.
        layer: The layer.

    Returns:
        Precision, recall and F1, or None if bert-score ships none.
    """
    path = Path(bert_score.__file__).parent / "rescale_baseline" / language / f"{name}.tsv"
    if not path.is_file():
        return None
    return [float(value) for value in path.read_text().split()[layer + 1].split(",")[1:]]


def oracle(source: Path, layer: int) -> dict[str, list[object]]:
    """Score some texts with bert-score, on the whole encoder.

    Args:
        source: The encoder as downloaded.
        layer: The layer.

    Returns:
        The texts and their scores.
    """
    scorer = bert_score.BERTScorer(model_type=str(source), num_layers=layer, device="cpu", nthreads=0)
    pairs = [*ENGLISH, *OTHER]
    if scorer._tokenizer.model_max_length <= 10_000:  # else bert-score does not truncate, and fails
        pairs.append(LONG)
    candidates, references = zip(*pairs, strict=True)
    precision, recall, f1 = scorer.score(list(candidates), list(references))
    return {
        "candidates": list(candidates),
        "references": list(references),
        "precision": precision.tolist(),
        "recall": recall.tolist(),
        "f1": f1.tolist(),
    }


if __name__ == "__main__":
    main()
