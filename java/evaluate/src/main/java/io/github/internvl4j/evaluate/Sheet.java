package io.github.internvl4j.evaluate;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.List;
import org.dhatim.fastexcel.Workbook;
import org.dhatim.fastexcel.Worksheet;

/** An Excel file with one sheet. */
final class Sheet {
    private Sheet() {}

    /**
     * The file. Empty cells are left out.
     *
     * @param number the column of numbers
     */
    static byte[] write(List<String> columns, List<List<String>> rows, String number) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (Workbook book = new Workbook(bytes, "internvl4j", "1.0")) {
            Worksheet sheet = book.newWorksheet("Sheet1");
            for (int column = 0; column < columns.size(); column++) {
                sheet.value(0, column, columns.get(column));
                for (int row = 0; row < rows.size(); row++) {
                    String text = rows.get(row).get(column);
                    if (columns.get(column).equals(number)) {
                        sheet.value(row + 1, column, Long.parseLong(text));
                    } else if (!text.isEmpty()) {
                        sheet.value(row + 1, column, text);
                    }
                }
            }
        }
        return Undated.zip(bytes.toByteArray());
    }
}
