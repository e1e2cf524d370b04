"""One offline HTML file that gives the answer: `twin.report.page.page(content)`. Nothing here simulates."""
