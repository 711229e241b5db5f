// From a JSON schema (2020-12, and what earlier drafts write alike) to a grammar.
//
// Done: type, enum, const; properties, required, additionalProperties; items, prefixItems, minItems, maxItems; minLength, maxLength,
// pattern, format; minimum, maximum, exclusiveMinimum, exclusiveMaximum; anyOf, oneOf, allOf, $ref into the schema itself, true and false.
// allOf, and what stands beside anyOf, oneOf or $ref, is merged. A oneOf is done where no value can satisfy two of its schemas, as far as
// types, values and properties tell. Annotations and unknown words are ignored; any other keyword of JSON Schema is refused.
#pragma once

#include <string_view>

#include "grammar/grammar.h"
#include "grammar/schema_error.h"

namespace ivl::grammar {

// SchemaError for what is not done, not a schema, too large (512 KiB, 64 levels, 5,000 different places), or satisfied by nothing.
Grammar compile_schema(std::string_view text);

}  // namespace ivl::grammar
