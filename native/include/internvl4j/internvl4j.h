/*
 * The C API of InternVL4J: the only door between Java and the native runtime.
 *
 * Rules that hold for every function:
 *  - It returns an ivl_status (or cannot fail). No C++ exception leaves it and nothing aborts the process.
 *    ivl_last_error() then describes the failure of the calling thread's last call.
 *  - Native code never calls back. Loading is cut into steps that the caller asks for (ivl_load_step), and answers come as
 *    events that it polls (ivl_submit, ivl_poll), so progress, streaming and cancellation are the caller's own
 *    loop.
 *  - Handles are freed by their own _free, in any order: what a handle needs is kept alive by it. A null handle may
 *    be freed. Freeing a handle that another thread is using is the caller's error; closing a model is not (see
 *    ivl_model_close).
 *  - Strings are UTF-8. Tensors are dense, row-major, native-endian float32 unless said otherwise.
 *  - Everything passed in is copied before the call returns. Arrays come with the number of their elements: what does not fit
 *    is IVL_INVALID_ARGUMENT with both numbers, and nothing is written.
 */
#ifndef INTERNVL4J_H
#define INTERNVL4J_H

#include <stdint.h>

#if defined(_WIN32)
#define IVL_API __declspec(dllexport)
#else
#define IVL_API __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

typedef enum ivl_status {
  IVL_OK = 0,
  IVL_INVALID_ARGUMENT = 1, /* a value is out of range; the message names it */
  IVL_CHECKPOINT = 2,       /* a file of the checkpoint is missing, truncated or malformed */
  IVL_UNSUPPORTED = 3,      /* an architecture or setting that is not implemented */
  IVL_OUT_OF_MEMORY = 4,    /* the memory plan does not fit, or an allocation failed; the model stays usable */
  IVL_CONTEXT_LENGTH = 5,   /* more tokens than the context holds; the message has both counts */
  IVL_CANCELLED = 6,        /* stopped by ivl_cancel */
  IVL_CLOSED = 7,           /* the handle's model was closed, before the call or during it */
  IVL_IO = 8,               /* the operating system refused to read a file */
  IVL_INTERNAL = 9,         /* a fault of this library */
  IVL_NOT_FINITE = 10       /* the model computed NaN or infinity: from damaged weights, or beyond the range of its type */
} ivl_status;

/* The type weights are kept in, and the KV cache if it has none of its own. Products of narrow weights accumulate in f32;
 * activations, softmax and norms are f32 on the CPU. F32 keeps 16-bit weights as stored (widening is exact) and the KV cache in f32. INT8
 * quantizes the decoder's linear layers and its head while loading: weights and activations a row at a time, activations
 * of magnitude 6 and more apart in f32, as in LLM.int8() (arXiv:2208.07339). INT4 keeps the decoder's linear layers as 16-bit
 * weights that take four bits, 64 neighbours with a scale, each one of sixteen values (NF4's levels, arXiv:2305.14314), and the head
 * in int8; activations are those of 16 bits. Everything else stays in the type it is stored in, in bf16 if that is f32. A checkpoint
 * that is quantized already stays so. */
typedef enum ivl_precision {
  IVL_PRECISION_AUTO = 0, /* the type the checkpoint is stored in */
  IVL_PRECISION_F32 = 1,
  IVL_PRECISION_BF16 = 2,
  IVL_PRECISION_F16 = 3,
  IVL_PRECISION_INT8 = 4,
  IVL_PRECISION_INT4 = 5
} ivl_precision;

/* The type of the KV cache. INT8 keeps a token's key and value in each head in bytes with a scale of their own: a little over
 * half the memory of 16 bits. On the CPU any goes with any precision; a GPU has the precision's (bf16 or f16). */
typedef enum ivl_kv_cache {
  IVL_KV_CACHE_AUTO = 0, /* the precision's: f32, bf16 or f16; for INT8 that of what is not quantized */
  IVL_KV_CACHE_F32 = 1,
  IVL_KV_CACHE_BF16 = 2,
  IVL_KV_CACHE_F16 = 3,
  IVL_KV_CACHE_INT8 = 4
} ivl_kv_cache;

typedef enum ivl_finish {
  IVL_FINISH_NONE = 0,   /* more tokens follow */
  IVL_FINISH_STOP = 1,   /* a stop token, or the caller ended the request */
  IVL_FINISH_LENGTH = 2, /* max_new_tokens reached, or the context is full */
  IVL_FINISH_CANCELLED = 3,
  IVL_FINISH_FAILED = 4  /* see ivl_events_failure */
} ivl_finish;

/* The calling thread's last failure, for people; empty if there was none. Valid until the thread's next call. */
IVL_API const char* ivl_last_error(void);
IVL_API const char* ivl_version(void);
/* The sizes in bytes of all structs below, added up: a binding whose own sum differs was compiled for another library. */
IVL_API int64_t ivl_struct_bytes(void);

/* ---- texts the library hands out -------------------------------------------------------------------------------- */

typedef struct ivl_text ivl_text;
IVL_API const char* ivl_text_data(const ivl_text* text);
IVL_API void ivl_text_free(ivl_text* text);

/* JSON: {"version", "cpu": {"isa", "features": [..], "threads"}, "devices": [{"name", "available", "reason"}]},
 * "devices" the CPU and every GPU, or "cuda" with the reason why there is none. Each GPU is asked whether this build has code for
 * it, which makes a CUDA context there: some hundred megabytes until the process ends. */
IVL_API ivl_status ivl_system_info(ivl_text** out);

/* ---- a checkpoint, before it is loaded -------------------------------------------------------------------------- */

/* How the folder is laid out, and with it which prompt, patch kernel and tokenizer belong to it. */
typedef enum ivl_layout {
  IVL_LAYOUT_REMOTE_CODE = 0, /* InternVLChatModel: the conversation template by its name, the slow tokenizer */
  IVL_LAYOUT_TRANSFORMERS = 1 /* InternVLForConditionalGeneration: the chat template in the folder, tokenizer.json */
} ivl_layout;

typedef enum ivl_activations {
  IVL_ACTIVATIONS_AUTO = 0, /* BF16 with weights kept in bf16 on a processor that multiplies bf16 faster than f32, else F32 */
  IVL_ACTIVATIONS_F32 = 1,  /* not rounded */
  IVL_ACTIVATIONS_BF16 = 2  /* rounded, as GPUs always do; needs a precision that keeps weights in bf16 */
} ivl_activations;

typedef struct ivl_model_info {
  int32_t image_size;       /* pixels, square */
  int32_t image_channels;
  int32_t tokens_per_image; /* of the decoder, for each image */
  int32_t context_length;   /* tokens */
  int32_t vocabulary_size;
  int32_t hidden_size;      /* of the decoder */
  int32_t vision_layers;
  int32_t decoder_layers;
  int64_t parameters;
  ivl_precision stored;     /* the type most weights are stored in */
  ivl_precision precision;  /* as loaded; AUTO before loading */
  ivl_kv_cache kv_cache;    /* likewise */
  ivl_activations activations; /* likewise, on the CPU */
  ivl_layout layout;
  int32_t dynamic_tiles;     /* 1: an image is cut into tiles; 0: it is one tile */
  int32_t thumbnail;         /* 1: behind several tiles comes the whole image as one more */
  int32_t least_tiles;       /* of an image, without the thumbnail */
  int32_t most_tiles;
  int32_t image_token;       /* the placeholder's id; -1: the configuration does not say, the tokenizer does */
} ivl_model_info;

typedef struct ivl_load_options {
  int32_t precision;      /* an ivl_precision; an int, so that any value can be looked at */
  int32_t quantize_vision; /* with INT8 or INT4: IVL_PRECISION_INT8 (or INT4: answers about images get worse) for the linear layers of
                              the vision tower's blocks and of the projector, 0 to leave them as they are */
  int32_t kv_cache;       /* an ivl_kv_cache */
  int32_t activations;    /* an ivl_activations: of the CPU's, where they are multiplied with bf16 weights, and in attention: the vision
                             tower's, and the decoder's where its KV cache is in bf16 */
  int32_t threads;        /* 0: as many as the process may use */
  int32_t map_weights;    /* 1: use the files through mmap; 0: read them into memory (immune to later truncation) */
  int32_t context_length; /* 0: the checkpoint's; a smaller one makes the memory plan smaller */
  int32_t max_batch;      /* requests that will be computed together: the memory plan has their KV caches; 0: as many as fit, up to 8,
                             of which ivl_memory_plan tells */
  int64_t kv_memory;      /* bytes for the KV caches of all requests together; 0: those of one full context and of the batch */
  int64_t memory_limit;   /* bytes; 0: what the system and the cgroup have available; -1: not checked */
  char device[64];        /* "auto" or empty: the first GPU that can have the model, else the CPU; "cpu"; "cuda", "cuda:N", or
                             several GPUs that share the decoder's layers, "cuda:0,1", so that they are equally full or,
                             "cuda:0=20,1=40", as told */
  char affinity[256];     /* processors that the CPU's threads are bound to: "none" or empty; "auto": those that the process may
                             use, in their order; or their numbers, "0,2,4-7". Thread i is bound to the i-th, the calling
                             thread being the first, for as long as it computes. There must be one for each of threads; threads
                             0 is then as many as are named */
} ivl_load_options;

/* In bytes, but for the last three. */
typedef struct ivl_memory_plan {
  int64_t weights_mapped;     /* read in place from the files; the system may drop and re-read these pages */
  int64_t weights_owned;      /* converted, or read into memory */
  int64_t kv_cache_per_token;
  int64_t kv_cache;           /* one sequence of context_length tokens */
  int64_t kv_cache_batch;     /* max_batch - 1 further requests of an image, a question and an answer of 1,024 tokens */
  int64_t scratch;            /* activations of a prefill chunk, kernels' scratch */
  int64_t image_batch;        /* pixels and activations of the images encoded together */
  int64_t total;
  int64_t available;
  int32_t images_together;
  int32_t max_batch;
  ivl_kv_cache kv_cache_type;
} ivl_memory_plan;

IVL_API void ivl_load_options_init(ivl_load_options* options);

/* Reads config.json and generation_config.json of a folder (or one config.json file), nothing else. */
IVL_API ivl_status ivl_inspect(const char* path, ivl_model_info* out);
/* What of the same may be of any length, as JSON: {"conversation_template": "", "architecture": "", "eos_tokens": [..]}: the
 * decoder's architecture as transformers names it, "Qwen2ForCausalLM"; the tokens from generation_config.json, else config.json. */
IVL_API ivl_status ivl_inspect_texts(const char* path, ivl_text** out);
/* What loading will need; reads the headers of the weights only. Of one config.json file: what a checkpoint of that configuration
 * would, with weights that are not mapped, in bf16 if the precision is left open. */
IVL_API ivl_status ivl_plan(const char* directory, const ivl_load_options* options, ivl_memory_plan* out);
/* For people: which other settings make a model fit that does not; empty if it does. */
IVL_API ivl_status ivl_plan_advice(const char* directory, const ivl_load_options* options, ivl_text** out);
/* For people: where that is, "cuda:0 (NVIDIA H100 80GB HBM3)", or "cpu", with the reason if the device is "auto" and there are GPUs. */
IVL_API ivl_status ivl_plan_device(const char* directory, const ivl_load_options* options, ivl_text** out);
/* JSON: {"missing": [..], "wrong": [..], "unexpected": [..], "non_finite": [{"tensor", "count", "first"}]}; the last
 * only if scan_values is not 0 (reads every weight). */
IVL_API ivl_status ivl_check(const char* directory, int32_t scan_values, ivl_text** out);

/* ---- loading ---------------------------------------------------------------------------------------------------- */

typedef struct ivl_load ivl_load;
typedef struct ivl_model ivl_model;

typedef struct ivl_load_progress {
  int64_t steps_done;
  int64_t steps_total;
  int64_t bytes_done;
  int64_t bytes_total;
} ivl_load_progress;

/* Opens and checks the whole checkpoint against its configuration and the memory plan; loads no weight yet. */
IVL_API ivl_status ivl_load_begin(const char* directory, const ivl_load_options* options, ivl_load** out);
/* The same for a bare config.json with random weights (for benchmarks), stored in the options' precision. */
IVL_API ivl_status ivl_load_begin_random(const char* config_file, const ivl_load_options* options, uint64_t seed,
                                         ivl_load** out);
/* Loads the next part (about one layer). Finished when steps_done == steps_total. */
IVL_API ivl_status ivl_load_step(ivl_load* load, ivl_load_progress* out);
/* Hands the model over; only after the last step. The load handle still has to be freed. */
IVL_API ivl_status ivl_load_finish(ivl_load* load, ivl_model** out);
IVL_API void ivl_load_free(ivl_load* load);

/* ---- quantized checkpoints --------------------------------------------------------------------------------------- */

/* Writes the weights of a checkpoint folder into another one as IVL_PRECISION_INT8 or INT4 would make them at load, shard by shard
 * under the same names: instead of a linear layer's weight (out, in), in int8 an I8 tensor of its name, NAME_scale (out) F32 and
 * NAME_sum (out) I32, the sum of each row; in int4 a U8 tensor of its name and NAME_scale (out, groups) in 16 bits, as
 * native/README.md says. They are then used where they are mapped. Files other than weights are the caller's to copy. */
typedef struct ivl_quantization ivl_quantization;
/* output is made if it is not there, and must hold no weights. precision and quantize_vision as in ivl_load_options; calibrates: 1, with
 * INT4, to round the decoder's weights so that little is lost for the inputs that some requests give them; threads: 0 for as many as the
 * process may use. */
IVL_API ivl_status ivl_quantization_begin(const char* directory, const char* output, int32_t precision, int32_t quantize_vision,
                                          int32_t calibrates, int32_t threads, ivl_quantization** out);
/* Where that calibrates, before the first step: a request as it would be submitted. One for each image_token in tokens, the pixels'
 * images have rows; pixels (images, channels, S, S) as for ivl_encode, may be null if images is 0. Its images are encoded at once.
 *  tokens_added  receives the tokens of all requests so far; with fewer of them than a layer has inputs a calibration says little
 *  inputs        receives the most inputs that a calibrated layer has */
IVL_API ivl_status ivl_quantization_add_request(ivl_quantization* quantization, const int32_t* tokens, int64_t token_count,
                                                int32_t image_token, const float* pixels, int64_t images, int64_t* tokens_added,
                                                int64_t* inputs);
/* Does the next tensor; where it calibrates, before these the next layer. Finished when steps_done == steps_total; freed before, it
 * leaves whole shards only, and the layers that are calibrated in the folder "calibration" of output. The same requests for the same
 * output go on behind them, and the folder goes at the end. */
IVL_API ivl_status ivl_quantization_step(ivl_quantization* quantization, ivl_load_progress* out);
IVL_API void ivl_quantization_free(ivl_quantization* quantization);

/* ---- merged checkpoints -------------------------------------------------------------------------------------------- */

typedef enum ivl_merge_rounding {
  IVL_MERGE_ROUNDING_ONCE = 0,   /* W + scale * B A is rounded once, to the type that W is stored in: as PEFT does with pairs in f32 */
  IVL_MERGE_ROUNDING_IN_TYPE = 1 /* A, B, their product, its multiple and the sum are each rounded to it: as the original's tool does */
} ivl_merge_rounding;

/* Writes the weights of a checkpoint folder into another one with an adapter's pairs merged into them, shard by shard. Files other than
 * weights are the caller's to copy; of a checkpoint with pairs of its own (use_llm_lora, use_backbone_lora) these are 0 afterwards. */
typedef struct ivl_merge ivl_merge;
/* directory: a checkpoint in 16 bits or f32. adapter: as ivl_adapter_load's, also with pairs of experts; null to merge the checkpoint's own pairs alone, which are always
 * merged. output is made if it is not there, and must hold no weights. rounding: an ivl_merge_rounding. threads: 0 for as many as the
 * process may use. */
IVL_API ivl_status ivl_merge_begin(const char* directory, const char* adapter, const char* output, int32_t rounding, int32_t threads,
                                   ivl_merge** out);
/* Does the next tensor. Finished when steps_done == steps_total; freed before, it leaves whole shards only. IVL_NOT_FINITE if a merged weight is
 * beyond its type's range. */
IVL_API ivl_status ivl_merge_step(ivl_merge* merge, ivl_load_progress* out);
IVL_API void ivl_merge_free(ivl_merge* merge);

/* ---- the model -------------------------------------------------------------------------------------------------- */

/* Has a smaller model guess what this one will say, where what was said before gives no guess: a few tokens at once, which the model
 * checks in one pass. Answers are the same, bit for bit; they come faster where the draft is right often enough and is that much
 * smaller, and where it does not pay it is left out. It reads the text of a conversation, not its images. Requests that are guided,
 * recorded, or allow no guesses (most_guessed 0) are never drafted.
 *
 * Before the model's first request. The two must have the same vocabulary: equal sizes are checked here, equal tokens are the
 * caller's to check. IVL_INVALID_ARGUMENT if they have not, if they are one model, or if either has a draft or is one already.
 *
 * The draft has the memory that its own plan says, its KV cache too. Its handle stays the caller's; closing the model closes the
 * draft. A draft that is closed or fails leaves the model's requests as they are, without drafts: ivl_counts tells. */
IVL_API ivl_status ivl_model_set_draft(ivl_model* model, ivl_model* draft);
IVL_API ivl_status ivl_model_describe(const ivl_model* model, ivl_model_info* out);
/* As ivl_inspect_texts. */
IVL_API ivl_status ivl_model_texts(const ivl_model* model, ivl_text** out);
/* For people: "cpu: avx2, 2 threads", and with the device "auto" why not on a GPU, if there are any. */
IVL_API ivl_status ivl_model_backend(const ivl_model* model, ivl_text** out);
/* What the model computes and moves, from its shape; a multiply-add counts as two operations. */
typedef struct ivl_work {
  double vision_operations;            /* one image through the vision tower and the projector */
  double operations_per_token;         /* a token through the decoder's layers up to its last keys, without attention */
  double attention_operations_per_key; /* of a token, for each key it sees */
  double head_operations;              /* on top of it for a token's logits: the rest of the last layer, and the head */
  double weight_bytes;                 /* read for a decoded token: layers and head */
  double kv_bytes_per_key;             /* read for a decoded token, for each key it sees */
} ivl_work;
IVL_API ivl_status ivl_model_work(const ivl_model* model, ivl_work* out);
/* Cancels what is in flight, waits for it, then gives the weights back. Thread-safe and idempotent. Other handles of
 * the model stay valid to free; using them returns IVL_CLOSED. */
IVL_API ivl_status ivl_model_close(ivl_model* model);
/* Closes and frees. */
IVL_API void ivl_model_free(ivl_model* model);

/* ---- adapters ----------------------------------------------------------------------------------------------------- */

/* A LoRA adapter, as PEFT saves it: a folder with adapter_config.json and adapter_model.safetensors. To each layer W x that it has a
 * pair for it adds scale * B (A x), in f32 sums and beside the weights, which stay as they are in any precision. Requests choose adapters,
 * each its own; those without have the bits that they would have without any adapter loaded. */
typedef struct ivl_adapter ivl_adapter;
/* Reads it, and takes it into the model's memory between two passes; the folder is not needed afterwards. IVL_CHECKPOINT if it is malformed or
 * of another model, IVL_UNSUPPORTED if it is more than pairs of linear layers (DoRA, biases, modules_to_save) or a pickle,
 * IVL_OUT_OF_MEMORY if a device has no room for it. Any thread. */
IVL_API ivl_status ivl_adapter_load(ivl_model* model, const char* directory, ivl_adapter** out);
typedef struct ivl_adapter_info {
  int64_t bytes;       /* of its pairs */
  int32_t sees_images; /* 1: it changes the vision tower or the projector, and with them what images look like */
} ivl_adapter_info;
IVL_API ivl_status ivl_adapter_describe(const ivl_adapter* adapter, ivl_adapter_info* out);
/* Requests and features that have it keep it until they end. */
IVL_API void ivl_adapter_free(ivl_adapter* adapter);

/* Some adapters of one model, added up: each `weight` times, any finite number. Their order makes no difference, not even in the last
 * bit. */
typedef struct ivl_adapter_use {
  const ivl_adapter* adapter;
  float weight;
} ivl_adapter_use;
typedef struct ivl_adapters {
  const ivl_adapter_use* uses;
  int64_t count;
} ivl_adapters;

/* ---- recorded activations --------------------------------------------------------------------------------------- */

/* Copies of the activations of what runs while it is handed in, as f32, under the names vision.embeddings,
 * vision.layers.N, vision.pixel_shuffle, projector, decoder.embeddings, decoder.layers.N, decoder.norm, logits.
 * Vision entries are (images, tokens, width); decoder entries (1, tokens, width). A recording is one model's: the first that
 * it is handed in to. */
typedef struct ivl_recording ivl_recording;
IVL_API ivl_status ivl_recording_create(ivl_recording** out);
IVL_API int64_t ivl_recording_count(const ivl_recording* recording);
IVL_API const char* ivl_recording_name(const ivl_recording* recording, int64_t index);
/* out receives 3 numbers. */
IVL_API ivl_status ivl_recording_shape(const ivl_recording* recording, int64_t index, int64_t* out, int64_t capacity);
/* out receives as many as the three of the shape multiplied. */
IVL_API ivl_status ivl_recording_copy(const ivl_recording* recording, int64_t index, float* out, int64_t capacity);
IVL_API void ivl_recording_free(ivl_recording* recording);

/* ---- cancellation ------------------------------------------------------------------------------------------------ */

/* A flag that long work looks at between layers. Work begun with it returns IVL_CANCELLED soon after ivl_cancel, which
 * any thread may call, and so does all later work with it. */
typedef struct ivl_cancellation ivl_cancellation;
IVL_API ivl_status ivl_cancellation_create(ivl_cancellation** out);
IVL_API void ivl_cancel(ivl_cancellation* cancellation);
IVL_API void ivl_cancellation_free(ivl_cancellation* cancellation);

/* ---- images ----------------------------------------------------------------------------------------------------- */

/* What the decoder sees of one or more images: (count * tokens_per_image, hidden_size). */
typedef struct ivl_features ivl_features;
/* To be encoded when the first request needs it; the pixels are copied. content: bytes that tell these pixels, and who may share them,
 * from any others, a strong hash of both, say. Calls with equal ones share one encoding, also with requests that have ended, as long as
 * there is room. content_bytes 0: shared with nobody. pixels and adapters as ivl_encode's; of adapters those that see images part what is
 * shared. */
IVL_API ivl_status ivl_features_create(ivl_model* model, const float* pixels, int64_t pixel_count, int64_t count,
                                       const char* content, int64_t content_bytes, const ivl_adapters* adapters,
                                       ivl_features** out);
/* Encodes them now, in the calling thread.
 * pixels: (count, channels, image_size, image_size), normalized, pixel_count numbers in all. adapters: those of the request that
 * they are for, or null. cancellation and recording may be null. */
IVL_API ivl_status ivl_encode(ivl_model* model, const float* pixels, int64_t pixel_count, int64_t count,
                              const ivl_adapters* adapters, const ivl_cancellation* cancellation, ivl_recording* recording, ivl_features** out);
IVL_API int64_t ivl_features_rows(const ivl_features* features);
/* out receives (rows, hidden_size). IVL_INVALID_ARGUMENT as long as they are not encoded. */
IVL_API ivl_status ivl_features_copy(const ivl_features* features, float* out, int64_t capacity);
IVL_API void ivl_features_free(ivl_features* features);

/* ---- what an answer may be ---------------------------------------------------------------------------------------- */

/* A tokenizer's tokens as bytes: made once for a model, and for all grammars of its requests. */
typedef struct ivl_vocabulary ivl_vocabulary;
/* count must be the model's vocabulary_size. Token i has the bytes from ends[i - 1] (of the first one: 0) to ends[i]. One without bytes is
 * never part of a guided answer: special tokens, and rows of the model that have no token. */
IVL_API ivl_status ivl_vocabulary_create(const char* bytes, const int64_t* ends, int64_t count, ivl_vocabulary** out);
IVL_API void ivl_vocabulary_free(ivl_vocabulary* vocabulary);

/* A JSON schema, compiled for a vocabulary, which keeps the last few: one of these is not compiled again. */
typedef struct ivl_grammar ivl_grammar;
/* IVL_UNSUPPORTED where the schema asks for what is not done, IVL_INVALID_ARGUMENT where it is no schema or nothing satisfies it. place,
 * which may be null, then receives where: a JSON pointer to the keyword; empty: the whole. It receives null where all is well. */
IVL_API ivl_status ivl_grammar_create(const ivl_vocabulary* vocabulary, const char* schema, ivl_text** place, ivl_grammar** out);
IVL_API void ivl_grammar_free(ivl_grammar* grammar);

/* ---- requests ---------------------------------------------------------------------------------------------------- */

typedef struct ivl_sampling {
  float temperature;        /* 0: greedy, the lowest id among equals */
  int32_t top_k;            /* 0: all */
  float top_p;              /* (0, 1]; 1: all */
  float min_p;              /* [0, 1): tokens at least so probable as the best, relative to it; 0: all */
  float repetition_penalty; /* > 0; 1: none; over the tokens generated so far, as the original does */
  float frequency_penalty;  /* taken from a token's logit for each time that it was generated */
  float presence_penalty;   /* taken from a token's logit if it was generated */
  int32_t max_new_tokens;   /* >= 1 */
  int32_t min_new_tokens;   /* before them no stop token is drawn; 0 to max_new_tokens */
  int32_t top_logprobs;     /* most likely tokens to report each step, 0 to 64 */
  uint64_t seed;
} ivl_sampling;

/* What is asked, images aside. Everything in it is copied. */
typedef struct ivl_request {
  const int32_t* tokens;               /* the whole prompt, also what earlier requests had computed of it */
  int64_t token_count;
  int32_t image_token;                 /* the placeholder: each is replaced by a row of the features */
  int32_t priority;                    /* larger numbers come first; among equals, who came first */
  const int32_t* stop_tokens;          /* ids that end the answer (the stop token is reported, with IVL_FINISH_STOP) */
  int64_t stop_token_count;
  const ivl_adapters* adapters;        /* that it is answered with; may be null. Its features must have been made for those of them that
                                          see images. What is computed with some serves only others with the same */
  const char* salt;                    /* what is computed under one salt serves only others of the same; null: the empty one */
  ivl_recording* recording;            /* may be null; then the prompt is recorded (logits of every position), nothing is reused, and
                                          no other request runs meanwhile */
  const int32_t* bias_tokens;          /* to their logits these numbers are added, one by one; -infinity excludes a token */
  const float* bias_logits;
  int64_t bias_count;
  int32_t most_guessed;                /* tokens that are guessed at once, from what stood behind the same ones before or by the
                                          model's draft, and checked together: faster where an answer quotes its prompt or the draft
                                          is right, and the same answer always; 0: none */
  int32_t guided;                      /* 1: each token waits for ivl_allow() */
  const ivl_grammar* grammar;          /* may be null; then the answer is JSON that satisfies its schema, unless it is cut: no white space
                                          but a space, or the end of a line and up to 32, before a value, a name or a closing bracket. A
                                          stop token comes behind the whole value alone. With most_guessed as if 0, and neither guided
                                          nor min_new_tokens */
  int32_t logits;                      /* 1: ivl_events_logits() gives those of each token */
  ivl_sampling sampling;
} ivl_request;
/* Greedy, 1,024 new tokens, nothing else. */
IVL_API void ivl_request_init(ivl_request* request);

/*
 * Hands a request to the model's scheduler, a thread of the library that computes all requests together; any thread may call it.
 * A request's tokens are the same as if it were alone. Where a prompt begins like one that was computed before, that part is taken
 * from the cache. Everything is checked before any work: token ids, the context length, that the features have one row for each
 * image_token in tokens, and that all of them are of this model. id receives the request's number: 1, 2, 3, ...
 *  features  the images, in the order of the prompt's image tokens; may be null if feature_count is 0
 */
IVL_API ivl_status ivl_submit(ivl_model* model, const ivl_request* request, const ivl_features* const* features,
                              int64_t feature_count, int64_t* id);
/* Ends a request, unless it has ended: its last event is then IVL_FINISH_CANCELLED. It takes the end of the running pass, or where
 * nobody else is in that, of a layer. Any thread. */
IVL_API ivl_status ivl_cancel_request(ivl_model* model, int64_t id);

/* What a guided request's next token may be: words is (vocabulary_size + 31) / 32 numbers, a bit for each token, the lowest of a word
 * first. To be called once for each of its tokens; the first may come at any time behind ivl_submit. Does nothing if the request has
 * ended. Any thread. */
IVL_API ivl_status ivl_allow(ivl_model* model, int64_t id, const uint32_t* words, int64_t count);

typedef struct ivl_event {
  int64_t request;
  int32_t token;          /* -1 if it was cancelled or failed */
  float logprob;          /* natural logarithm, of the model's own distribution: before penalty, temperature, top-k, top-p */
  ivl_finish finish;      /* the request has no event behind one with another than IVL_FINISH_NONE */
  int64_t reused;         /* tokens of its prompt that were in the cache */
  double queue_seconds;   /* that it waited before its first turn */
  double image_seconds;   /* from then until its images were encoded */
  int64_t top_count;      /* what ivl_events_top has of that step */
} ivl_event;

/* Some events. To be used by one thread at a time. */
typedef struct ivl_events ivl_events;
IVL_API ivl_status ivl_events_create(ivl_events** out);
/* Puts the next events of the model's requests into `events` and drops what it held; waits for the first of them, as long as
 * timeout_ms says. Each event comes once, to one of the callers. Tokens come together if more than one is ready within 5 ms of the last
 * call that brought some; a request's first, its last and those of guided requests come at once. IVL_CLOSED once the model is closed and
 * all were taken. */
IVL_API ivl_status ivl_poll(ivl_model* model, int32_t timeout_ms, ivl_events* events);
IVL_API int64_t ivl_events_count(const ivl_events* events);
IVL_API ivl_status ivl_events_get(const ivl_events* events, int64_t index, ivl_event* out);
/* The most likely tokens of that step, best first; count receives how many (at most capacity). */
IVL_API ivl_status ivl_events_top(const ivl_events* events, int64_t index, int32_t* tokens, float* logprobs, int64_t capacity,
                                  int64_t* count);
/* IVL_OK unless the request ended with IVL_FINISH_FAILED: then the status that it failed with, and ivl_last_error() says why. */
IVL_API ivl_status ivl_events_failure(const ivl_events* events, int64_t index);
/* out receives the logits that the token was drawn from: (vocabulary_size). */
IVL_API ivl_status ivl_events_logits(const ivl_events* events, int64_t index, float* out, int64_t capacity);
IVL_API void ivl_events_free(ivl_events* events);

/* What the scheduler does, and did so far. */
typedef struct ivl_counts {
  int64_t running;       /* requests that take part in passes */
  int64_t waiting;
  int64_t blocks_used;   /* of the KV cache, 256 tokens each: by requests that run */
  int64_t blocks;        /* that there may be */
  int64_t prompt_tokens; /* of requests begun */
  int64_t reused_tokens; /* of those: found in the cache */
  int64_t new_tokens;
  int64_t images;        /* encoded */
  int64_t shared_images; /* found among those that were asked about before */
  int64_t preemptions;   /* a request gave its blocks back, to be computed again */
  int64_t passes;
  int64_t guessed_tokens;
  int64_t right_tokens;  /* of those */
  int64_t drafted_tokens; /* guessed by the draft (ivl_model_set_draft), apart from those above */
  int64_t right_drafted_tokens; /* of those */
  int64_t draft_blocks_used; /* of the draft's own KV cache */
  int64_t draft_failures; /* requests that lost their draft because it failed: no memory, no numbers, closed */
} ivl_counts;
IVL_API ivl_status ivl_model_counts(const ivl_model* model, ivl_counts* out);

/* ---- benchmarks ------------------------------------------------------------------------------------------------- */

/* What this machine can do, measured now in about a second with the kernels' own instructions. */
typedef struct ivl_machine {
  double read_gigabytes_per_second;
  double f32_gigaflops;  /* a multiply-add counts as two operations */
  double bf16_gigaflops; /* the same for products of bf16 by bf16 */
  double int8_gigaops;   /* the same for products of bytes summed in int32 */
  int32_t threads;
} ivl_machine;
/* threads and affinity as in ivl_load_options. */
IVL_API ivl_status ivl_measure_machine(int32_t threads, const char* affinity, ivl_machine* out);

/* Asks the system to forget what it has cached of a checkpoint's weights, so that they are read from the disk again. resident
 * receives the share of their pages, 0 to 1, that is in memory still: another process may have them mapped, and of files that are
 * not the caller's the system does not tell. */
IVL_API ivl_status ivl_drop_page_cache(const char* directory, double* resident);

/* One operation on random data, to be timed by the caller. spec is JSON, its operands as ivl_benchmark_operand counts them:
 *  {"op": "matmul", "m", "n", "k", "dtype": "f32|bf16|f16|int8|int4"}: (m, k), weights (n, k), result (m, n)
 *  {"op": "patch_embed", "images", "channels", "image_size", "patch", "n", "dtype"}: (images, channels * image_size^2),
 *   weights (n, channels * patch^2), result (images * (image_size / patch)^2, n)
 *  {"op": "vision_attention", "tokens", "heads", "head_dim", "dtype"}: q, k and v (tokens, 3 * heads * head_dim), result
 *  {"op": "cached_attention", "rows", "past", "heads", "kv_heads", "head_dim", "dtype"}: q (rows, (heads + 2 kv_heads) *
 *   head_dim), of which the first heads are read; cache (blocks * 2 * kv_heads * 256, head_dim), past + rows tokens in blocks of 256
 *   that hold each head's keys before values; result.
 *   In int8 the cache is arbitrary bytes and no operand.
 * and with each of them
 *  "device": "cpu" (if it is left out) or a GPU, "cuda:N", where dtype is bf16, f16 or int8 and widths are multiples of 8.
 * A matmul may have "copies", up to 64: so many of the weights take turns, so that a cache holds none of them until its turn
 * comes again; and "out": "f32", as logits are. In int8 the input's rows are quantized in each run. With dtype bf16
 * any may have "bf16_activations": true, as ivl_load_options has them; the input is rounded in each run.
 * Activations lie as a model's do, their rows as far apart as suits the device; ivl_benchmark_operand shows them dense. */
typedef struct ivl_benchmark ivl_benchmark;
/* threads: of the CPU; 0 for as many as the process may use. */
IVL_API ivl_status ivl_benchmark_create(const char* spec, int32_t threads, ivl_benchmark** out);
IVL_API ivl_status ivl_benchmark_run(ivl_benchmark* benchmark);
/* Seconds of so many runs, one queued behind another, by the device's own clock. */
IVL_API ivl_status ivl_benchmark_time(ivl_benchmark* benchmark, int64_t runs, double* seconds);
/* The operation's floating-point operations and the bytes it must move. */
IVL_API ivl_status ivl_benchmark_work(const ivl_benchmark* benchmark, double* operations, double* bytes);
/* What it computes from and, last and after a run, what came out: (rows, cols) as f32 into out, which may be null to learn the
 * shape. The weights of an int8 or int4 product are those before they were quantized. */
IVL_API ivl_status ivl_benchmark_operand(const ivl_benchmark* benchmark, int32_t operand, int64_t* rows, int64_t* cols,
                                         float* out, int64_t capacity);
IVL_API void ivl_benchmark_free(ivl_benchmark* benchmark);

#ifdef __cplusplus
}
#endif

#endif
