import createMarkdown from 'markdown-it';

/** A form as a host gets it. */
export interface DrawnForm {
  readonly message: string;
  readonly title: string;
  readonly description: string;
}

/** What a person sees of a form in a window of so many columns, one row each. */
type Renderer = (form: DrawnForm, columns: number) => string[];

/** Rows as a terminal breaks them: between words, and inside one that is longer than a row. */
function breakRows(text: string, columns: number): string[] {
  return text.split('\n').flatMap((line) => {
    const rows = [''];
    for (const word of line
      .trim()
      .split(/ +/)
      .flatMap((long) => long.match(new RegExp(`.{1,${columns}}`, 'gu')) ?? [])) {
      const longer = `${rows.at(-1)} ${word}`.trim();
      if (longer.length <= columns) rows.splice(-1, 1, longer);
      else rows.push(word);
    }
    return rows;
  });
}

const markdown = createMarkdown();
const entities: Readonly<Record<string, string>> = { '&amp;': '&', '&lt;': '<', '&gt;': '>', '&quot;': '"' };

/** What is left to read when Markdown is drawn: a line ends only where it says so. */
export const drawMarkdown = (text: string) =>
  markdown
    .render(text)
    .replace(/\n/g, ' ')
    .replace(/<br> ?|<\/(p|li|h\d)>/g, '\n')
    .replace(/<[^>]+>/g, '')
    .replace(/&\w+;/g, (entity) => entities[entity] ?? entity)
    .trim();

/** The limits that were measured at a window of 80x24, the least that each host was seen to draw. */
export const renderers: Readonly<Record<string, Renderer>> = {
  'first 3 rows': ({ message, title }, columns) => [...breakRows(message, columns).slice(0, 3), title.slice(0, 50)],
  'first 17 rows': ({ message, title, description }, columns) =>
    [...breakRows(message, columns), '', ...[title, description].flatMap((text) => breakRows(text, columns))].slice(
      0,
      17,
    ),
  'last 16 rows': ({ message, title, description }, columns) =>
    [...breakRows(message, columns), '', ...[title, description].flatMap((text) => breakRows(text, columns))].slice(
      -16,
    ),
};

/** The same with a message that is drawn as Markdown. */
export const markdownRenderers: typeof renderers = Object.fromEntries(
  Object.entries(renderers).map(([name, draw]) => [
    `${name} of Markdown`,
    (form, columns) => draw({ ...form, message: drawMarkdown(form.message) }, columns),
  ]),
);
