package io.github.internvl4j.cli;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.internvl4j.GenerationConfig;
import io.github.internvl4j.Prompt;
import io.github.internvl4j.error.PromptException;
import io.github.internvl4j.server.openai.DrawFields;
import io.github.internvl4j.server.openai.Fields;
import io.github.internvl4j.text.SpecialTokens;
import io.github.internvl4j.text.Turn;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** A request in our own form. What is null there is the command's own setting. */
record OwnLine(
        String prompt,
        @Nullable List<String> images,
        @Nullable Boolean combine,
        @Nullable String video,
        @Nullable Integer frames,
        @Nullable Double start,
        @Nullable Double end,
        List<Turn> history,
        @Nullable String system,
        @Nullable Boolean thinking,
        @Nullable Integer maxTiles,
        @Nullable Integer maxNewTokens,
        @Nullable Integer minNewTokens,
        DrawFields draw,
        @Nullable List<String> stop)
        implements BatchLine {
    private static final List<String> FIELDS = Stream.concat(
                    Stream.of(
                            "id",
                            "prompt",
                            "images",
                            "combine",
                            "video",
                            "frames",
                            "start",
                            "end",
                            "history",
                            "system",
                            "thinking",
                            "max_tiles",
                            "max_new_tokens",
                            "min_new_tokens",
                            "stop"),
                    DrawFields.NAMES.stream())
            .toList();

    static OwnLine of(JsonNode object) {
        Fields fields = Fields.of(object, "");
        fields.only(FIELDS);
        List<Turn> history = fields.list("history", History.EXPECTED, History::turn);
        return new OwnLine(
                fields.requiredText("prompt"),
                fields.texts("images"),
                fields.flag("combine"),
                fields.text("video"),
                fields.count("frames"),
                fields.number("start"),
                fields.number("end"),
                history == null ? List.of() : history,
                fields.text("system"),
                fields.flag("thinking"),
                fields.count("max_tiles"),
                fields.count("max_new_tokens"),
                fields.count("min_new_tokens"),
                DrawFields.of(fields),
                fields.texts("stop"));
    }

    @Override
    public Prompt prompt(Media media, InputRules rules) {
        Prompt asked =
                video == null ? images(media, rules.specialTokens()) : video(media, video, rules.specialTokens());
        Prompt ruled = rules.of(asked).thinking(thinking(rules.thinking())).system(system);
        return maxTiles == null ? ruled : ruled.maxTiles(maxTiles);
    }

    @Override
    public boolean thinking(boolean command) {
        return thinking == null ? command : thinking;
    }

    private Prompt images(Media media, SpecialTokens mode) {
        if (frames != null || start != null || end != null) {
            throw new PromptException("the fields frames, start and end need the field video");
        }
        List<String> sources = images == null ? List.of() : images;
        return PromptOptions.images(prompt, media.images(sources), Boolean.TRUE.equals(combine), history, mode);
    }

    private Prompt video(Media media, String source, SpecialTokens mode) {
        if (images != null || combine != null) {
            throw new PromptException("the field video goes with neither images nor combine");
        }
        int shown = frames == null ? Video.DEFAULT_FRAMES : frames;
        return new Video(media, source, shown, start, end).prompt(prompt, history, mode);
    }

    @Override
    public GenerationConfig config(GenerationConfig base) {
        GenerationConfig config = draw.config(base);
        config = maxNewTokens == null ? config : config.maxNewTokens(maxNewTokens);
        config = minNewTokens == null ? config : config.minNewTokens(minNewTokens);
        return stop == null ? config : config.stopStrings(stop.toArray(new String[0]));
    }
}
