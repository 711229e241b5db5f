package io.github.internvl4j.evaluate;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;
import org.xml.sax.SAXException;

/** The cells of an Excel file: texts, and numbers with # before them. */
final class SheetReader {
    private final Map<String, Document> parts = new HashMap<>();

    SheetReader(byte[] file) throws IOException {
        try (ZipInputStream zip = new ZipInputStream(new ByteArrayInputStream(file))) {
            for (ZipEntry entry = zip.getNextEntry(); entry != null; entry = zip.getNextEntry()) {
                if (entry.getName().endsWith(".xml")) {
                    parts.put(entry.getName(), parse(zip.readAllBytes()));
                }
            }
        }
    }

    private static Document parse(byte[] xml) throws IOException {
        try {
            return DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(new ByteArrayInputStream(xml));
        } catch (ParserConfigurationException | SAXException failure) {
            throw new IOException(failure);
        }
    }

    List<List<String>> rows() {
        List<List<String>> rows = new ArrayList<>();
        for (Element row : elements(parts.get("xl/worksheets/sheet1.xml"), "row")) {
            List<String> cells = new ArrayList<>();
            NodeList all = row.getElementsByTagName("c");
            for (int i = 0; i < all.getLength(); i++) {
                Element cell = (Element) all.item(i);
                int column = cell.getAttribute("r").charAt(0) - 'A';
                while (cells.size() < column) {
                    cells.add("");
                }
                cells.add(value(cell));
            }
            rows.add(cells);
        }
        return rows;
    }

    private String value(Element cell) {
        String text = cell.getTextContent();
        return switch (cell.getAttribute("t")) {
            case "s" ->
                elements(parts.get("xl/sharedStrings.xml"), "si")
                        .get(Integer.parseInt(text))
                        .getTextContent();
            case "inlineStr" -> text;
            default -> "#" + text;
        };
    }

    private static List<Element> elements(Document part, String name) {
        List<Element> elements = new ArrayList<>();
        NodeList all = part.getElementsByTagName(name);
        for (int i = 0; i < all.getLength(); i++) {
            elements.add((Element) all.item(i));
        }
        return elements;
    }
}
