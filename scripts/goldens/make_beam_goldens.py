"""Makes beams.json in java/core/src/test/resources: what transformers' beam search answers over checkpoints of test-data.

usage: python3 make_beam_goldens.py TEST_DATA OUTPUT_FOLDER      (PyTorch 2.13, transformers 5.18, safetensors)

Only a checkpoint's decoder runs, of the classes that transformers has itself, in f32. Each of its prompts is answered by
generate(do_sample=False, early_stopping=False) with the checkpoint's own end token, which random weights seldom come to, and
with one more: a token out of the middle of the prompt's greedy answer, so that beams end at many lengths; and with this one
forbidden before the twelfth token. Kept are the
tokens of the best answer, the end token included, and its sequences_scores: the sum of their log-probabilities divided by
their number to the power of the length penalty.
"""
import itertools
import json
import sys
from pathlib import Path

import torch
import transformers
from safetensors.torch import load_file
from transformers import AutoConfig, AutoModelForCausalLM

PREFIX = "language_model."
NEW_TOKENS = 16
FEWEST = 11
BEAMS = [2, 3, 6]
LENGTH_PENALTIES = [-1.0, 0.0, 1.0, 2.0]


def load(folder):
    """The decoder of a checkpoint in the layout of InternVL-Chat."""
    config = json.loads((folder / "config.json").read_text())["llm_config"]
    weights = {}
    for file in sorted(folder.glob("model*.safetensors")):
        weights.update(load_file(file))
    decoder = {name.removeprefix(PREFIX): tensor.float() for name, tensor in weights.items() if name.startswith(PREFIX)}
    model = AutoModelForCausalLM.from_config(AutoConfig.for_model(**config), dtype=torch.float32).eval()
    missing, unexpected = model.load_state_dict(decoder, strict=False)
    tied = {"lm_head.weight"} if config["tie_word_embeddings"] else set()
    assert set(missing) <= tied and not unexpected, (missing, unexpected)
    model.tie_weights()
    return model, config["eos_token_id"]


def prompts(folder):
    """The ids of two conversations without pictures."""
    if (folder / "golden.json").exists():  # the demo's
        dialogs = json.loads((folder / "golden.json").read_text())
        return [turn["prompt_ids"] for dialog in dialogs if not dialog["pictures"] for turn in dialog["rounds"]][:2]
    dialogs = json.loads((folder / "expected.json").read_text())["dialogs"]
    return [dialog["input_ids"] for dialog in dialogs if not dialog["images"]][:2]


def generate(model, prompt, ends, **options):
    ids = torch.tensor([prompt])
    output = model.generate(
        ids, attention_mask=torch.ones_like(ids), do_sample=False, max_new_tokens=NEW_TOKENS, eos_token_id=ends,
        pad_token_id=0, bos_token_id=None, return_dict_in_generate=True, output_scores=True, **options)
    answer = output.sequences[0, len(prompt):].tolist()
    end = next((i for i, token in enumerate(answer) if token in ends), len(answer) - 1)
    return answer[:end + 1], output  # without what pads it to another beam's length


def answers(model, end, prompt):
    greedy, _ = generate(model, prompt, [end])
    middle = [greedy[len(greedy) // 2]]
    for beams, penalty, (more, fewest) in itertools.product(BEAMS, LENGTH_PENALTIES, [([], 0), (middle, 0), (middle, FEWEST)]):
        tokens, output = generate(model, prompt, [end, *more], num_beams=beams, length_penalty=penalty, early_stopping=False,
                                  min_new_tokens=fewest or None)
        yield {"beams": beams, "length_penalty": penalty, "stop_tokens": more, "min_new_tokens": fewest, "tokens": tokens,
               "score": output.sequences_scores.item()}


def lines(name, folder):
    """JSON, an answer in a line."""
    model, end = load(folder)
    for prompt in prompts(folder):
        asked = {"checkpoint": name, "prompt": prompt, "max_new_tokens": NEW_TOKENS}
        answered = ",\n".join(json.dumps(answer) for answer in answers(model, end, prompt))
        yield json.dumps(asked)[:-1] + ', "answers": [\n' + answered + "]}"


def main():
    test_data, output = Path(sys.argv[1]), Path(sys.argv[2])
    torch.set_num_threads(1)
    print(f"torch {torch.__version__}, transformers {transformers.__version__}", file=sys.stderr)
    names = ["demo", "hermes-gqa7", "llama3-bpe", "qwen2-tied", "qwen3"]
    with torch.no_grad():
        all_lines = [line for name in names for line in lines(name, test_data / name)]
    (output / "beams.json").write_text("[\n" + ",\n".join(all_lines) + "\n]\n")


main()
