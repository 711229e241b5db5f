package io.github.internvl4j.bench.peers;

/** A side, loaded and ready. */
interface Contender extends AutoCloseable {
    /** Tokens decoded in one turn. */
    int TOKENS_A_TURN = 8;

    /** Takes one turn: the seconds of one product, prompt, decoded token or image. */
    double turn() throws Exception;

    /** Version and settings, for whoever reads the results. */
    String settings();

    @Override
    void close();

    static Contender open(Trial trial, Side side) throws Exception {
        return switch (side.engine()) {
            case INTERNVL4J -> Ours.open(trial);
            case ONEDNN -> new OneDnnMatMul(trial.task(), side);
            case LLAMA_CPP -> trial.llamaBench() == null ? new LlamaCpp(trial) : new LlamaBench(trial);
            case IK_LLAMA_CPP -> new LlamaBench(trial);
            case PYTORCH -> trial.task().kind() == Task.Kind.VISION ? new TorchTower(trial) : new TorchDecoder(trial);
        };
    }
}
