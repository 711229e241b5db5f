package io.github.internvl4j.bench.peers;

import com.fasterxml.jackson.annotation.JsonValue;

/** Who computes. */
enum Engine {
    INTERNVL4J("internvl4j"),
    ONEDNN("onednn"),
    LLAMA_CPP("llama.cpp"),
    IK_LLAMA_CPP("ik_llama.cpp"),
    PYTORCH("pytorch");

    private final String label;

    Engine(String label) {
        this.label = label;
    }

    @JsonValue
    @Override
    public String toString() {
        return label;
    }
}
