// README's first program, word for word but for the package.
package io.github.internvl4j.recipes;

import io.github.internvl4j.Chat;
import io.github.internvl4j.InternVL;
import io.github.internvl4j.image.Image;
import java.nio.file.Path;

public class FirstProgram {
    public static void main(String[] args) {
        try (InternVL model = InternVL.load(Path.of(args[0])); Chat chat = model.chat()) {
            Image image = Image.read(Path.of(args[1]));
            System.out.println(chat.ask("Please describe the image in detail.", image).text());
            chat.ask("What is in the middle?", chunk -> System.out.print(chunk.text()));
        }
    }
}
