/*
 * Training: supervised fine-tuning of a checkpoint as the original's script does it, step by step.
 *
 * A step is: ivl_training_add for each sample of a micro-batch, ivl_training_learn, both again for each further micro-batch, then
 * ivl_training_update. Everything is computed in an order that depends on the samples alone: the same steps give the same bits with any
 * number of threads, with intermediate results kept or computed again, in one run or resumed.
 *
 * The rules of internvl4j.h hold. One thread at a time uses a training, but for ivl_training_cancel. After a failure or a
 * cancellation the training stays usable: what the current step had gathered is dropped, and the parameters are those before it.
 */
#ifndef INTERNVL4J_TRAINING_H
#define INTERNVL4J_TRAINING_H

#include "internvl4j/internvl4j.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What of a part of the model learns. */
typedef enum ivl_learning {
  IVL_LEARNING_NOTHING = 0,
  IVL_LEARNING_LORA = 1, /* a pair A, B beside each linear layer: q, k, v, o, gate, up, down; of the vision tower qkv, proj, fc1, fc2 */
  IVL_LEARNING_ALL = 2   /* every parameter, kept in f32 */
} ivl_learning;

typedef struct ivl_training_options {
  int32_t decoder;         /* an ivl_learning, as the next two; the embeddings and the head belong to it */
  int32_t vision;
  int32_t projector;       /* not LORA */
  int32_t decoder_rank;    /* of its pairs; 16 */
  int32_t vision_rank;     /* likewise */
  float decoder_alpha;     /* alpha / rank is what B A x is multiplied by; 0: twice the rank, as the original has it */
  float vision_alpha;
  uint64_t seed;           /* of A, which is uniform within +-1/sqrt(inputs); B is 0 */
  int32_t activations;     /* an ivl_activations; AUTO: as for ivl_load_begin. Sums, and everything that learns, are f32 */
  int32_t keep;            /* 1: layers' intermediate results are kept for the way back; 0: they are computed again; -1: kept if there is room */
  int32_t threads;         /* 0: as many as the process may use */
  int32_t most_tokens;     /* of a sample: for the plan, and what ivl_training_add takes at the most; 0: 4096, or the context if that is less */
  int32_t most_samples;    /* of a micro-batch, likewise */
  int32_t most_images;     /* of a micro-batch, likewise */
  int64_t memory_limit;    /* bytes; 0: what the system and the cgroup have available; -1: not checked */
  double beta1, beta2, eps; /* of AdamW: 0.9, 0.999, 1e-8 */
  double decay;            /* decoupled, of every parameter that learns; 0.05 */
  double most_norm;        /* a step's gradients are scaled down to this norm of all of them together; 1; 0: never */
} ivl_training_options;

/* In bytes, but for the last five. */
typedef struct ivl_training_plan {
  int64_t weights_mapped; /* read in place from the files */
  int64_t weights_owned;
  int64_t learning;       /* values, gradients and two moments of what learns */
  int64_t layer_inputs;   /* of a micro-batch of the most tokens and images */
  int64_t intermediates;  /* one layer's, or all layers' where they are kept */
  int64_t scratch;
  int64_t total;
  int64_t available;
  int32_t keeps;              /* 1: intermediates are those of all layers */
  int64_t parameters;         /* of the model */
  int64_t learning_parameters;
  double operations_per_token; /* floating-point operations of a learnt token's way there and back through the decoder */
  double operations_per_image; /* of an image through vision tower and projector, back too where these learn */
} ivl_training_plan;

typedef struct ivl_training ivl_training;

IVL_API void ivl_training_options_init(ivl_training_options* options);
/* What a training would need; reads the headers of the weights only. */
IVL_API ivl_status ivl_training_plan_for(const char* directory, const ivl_training_options* options, ivl_training_plan* out);
/* Opens a checkpoint in 16 bits or f32. IVL_OUT_OF_MEMORY with the plan if it does not fit; IVL_UNSUPPORTED names what cannot learn
 * (experts, quantized weights that learn themselves). */
IVL_API ivl_status ivl_training_open(const char* directory, const ivl_training_options* options, ivl_training** out);
IVL_API ivl_status ivl_training_describe(const ivl_training* training, ivl_training_plan* out);

/* The rows that the decoder sees of images: pixels (images, channels, S, S) as for ivl_encode, out (images, tokens_per_image, hidden) of
 * out_count numbers. For images of samples to come while neither vision tower nor projector learns: they are then encoded once. */
IVL_API ivl_status ivl_training_encode(ivl_training* training, const float* pixels, int64_t images, float* out, int64_t out_count);

/* Adds a sample to the micro-batch. labels[i] is token i where it is to be learnt, from the tokens before it, else -100. For each image_token
 * in tokens, images have a row; they come as pixels, or as features from ivl_training_encode; the other is null. */
IVL_API ivl_status ivl_training_add(ivl_training* training, const int32_t* tokens, const int32_t* labels, int64_t token_count,
                                    int32_t image_token, const float* pixels, const float* features, int64_t images);
/* Forward and backward of the samples added since the last call: their gradients, times weight (1 / micro-batches of a step), go to what
 * the step has gathered. *loss is the mean of the cross entropy over *learnt tokens. Without any the call does nothing: loss is 0. */
IVL_API ivl_status ivl_training_learn(ivl_training* training, double weight, double* loss, int64_t* learnt);
/* The loss alone: nothing is gathered. */
IVL_API ivl_status ivl_training_loss(ivl_training* training, double* loss, int64_t* learnt);
/* Ends the step: one of AdamW with this rate over what was gathered. *norm is that of all gradients, *factor what they were multiplied by:
 * most_norm / (norm + 1e-6), at most 1. IVL_NOT_FINITE, and the step is dropped, if the norm is not a number. */
IVL_API ivl_status ivl_training_update(ivl_training* training, double rate, double* norm, double* factor);
/* Drops what the current step has gathered, and samples that were added. */
IVL_API ivl_status ivl_training_drop(ivl_training* training);
/* Makes the call that runs, or else the next one, end with IVL_CANCELLED before its next layer. Any thread. */
IVL_API ivl_status ivl_training_cancel(ivl_training* training);

/* What learns, one by one, by index from 0 on; IVL_INVALID_ARGUMENT behind the last. JSON: {"name": "", "shape": [..]}. A pair's halves are
 * called MODULE.lora_A and MODULE.lora_B. */
IVL_API ivl_status ivl_training_parameter(const ivl_training* training, int64_t index, ivl_text** out);
typedef enum ivl_training_tensor {
  IVL_TRAINING_VALUE = 0,
  IVL_TRAINING_GRADIENT = 1 /* as gathered so far, before clipping */
} ivl_training_tensor;
IVL_API ivl_status ivl_training_read(const ivl_training* training, int64_t index, int32_t which, float* out, int64_t count);
IVL_API ivl_status ivl_training_write(ivl_training* training, int64_t index, const float* values, int64_t count);

/* Values, moments and the number of steps as one file; text is the caller's own and comes back with it. Between steps. The file replaces
 * an older one only once it is whole. */
IVL_API ivl_status ivl_training_save(ivl_training* training, const char* file, const char* text);
/* The caller's text in such a file. IVL_CHECKPOINT if it is not whole, or something else. */
IVL_API ivl_status ivl_training_saved_text(const char* file, ivl_text** out);
/* Goes on from there. IVL_CHECKPOINT if it is not whole, or of another model or other options: nothing has changed then. */
IVL_API ivl_status ivl_training_resume(ivl_training* training, const char* file);
/* The pairs as a folder that PEFT loads: adapter_config.json and adapter_model.safetensors. IVL_UNSUPPORTED if more than pairs learns. */
IVL_API ivl_status ivl_training_write_adapter(ivl_training* training, const char* directory);
/* The weights of a checkpoint with what was learnt, shard by shard, in the type each is stored in. Files other than weights are the caller's
 * to copy. Pairs stay as they are: they are an adapter's. */
IVL_API ivl_status ivl_training_write_checkpoint(ivl_training* training, const char* directory);
IVL_API void ivl_training_free(ivl_training* training);

#ifdef __cplusplus
}
#endif

#endif
